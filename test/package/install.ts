/** Packs the package as publishing would, and installs it into an empty folder, where nothing of this repository can be found. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end, or until its output has what is waited for. */
export function run(command: string, args: readonly string[], cwd: string, until?: RegExp): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.on("data", (piece) => {
      out += piece;
      if (until?.test(out)) child.kill();
    });
    child.stderr.on("data", (piece) => {
      err += piece;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: until?.test(out) ? 0 : code, out, err }));
  });
}

/** The folder into which the package was installed, and what was packed; or why that cannot be tried here. */
export type Installed = { readonly folder: string; readonly tarball: string } | { readonly unreachable: string };

export async function installPacked(): Promise<Installed> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "ptdit-package-")));
  const packed = await run("npm", ["pack", "--pack-destination", base], root);
  if (packed.code !== 0) throw new Error(`npm pack: ${packed.out}${packed.err}`);
  const tarball = join(base, `ptdit-${manifest.version}.tgz`);
  const folder = join(base, "app");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=20000"];
  const installed = await run("npm", ["install", ...quiet, tarball], folder);
  // Optional dependencies that cannot be fetched are left out without an error.
  const missing = Object.keys(manifest.optionalDependencies).filter((name) => !existsSync(join(folder, "node_modules", name)));
  if (installed.code === 0 && missing.length === 0) return { folder, tarball };
  const asked = await run("npm", ["view", "commander", "version", "--fetch-retries=0", "--fetch-timeout=20000"], folder);
  if (asked.code !== 0) {
    rmSync(base, { recursive: true, force: true });
    return { unreachable: `the package registry cannot be reached: ${asked.err.trim().split("\n")[0]}` };
  }
  throw new Error(`npm install: without ${missing.join(", ") || "an end"}: ${installed.out}${installed.err}`);
}
