/** Opens pages in a headless Chromium, one after the other, and keeps what each posts. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium, chromiumFlags } from "../../bench/chromium.js";
import { forBrowsers } from "../forBrowsers.js";

// It is told here, so that no test of a browser can be passed over in silence.
const required = Boolean(process.env.PTDIT_REQUIRE_WEBGPU);
if (!chromium && required)
  throw new Error("no Chromium: install it, or name its path in CHROMIUM. PTDIT_REQUIRE_WEBGPU says that there must be one.");

/** Skips a test where `error` says that the browser has no adapter, unless `PTDIT_REQUIRE_WEBGPU` says that there must be one. */
export function skipWithoutAdapter(skip: (condition: boolean, note?: string) => void, error = ""): void {
  skip(!required && /no (WebGPU )?adapter|no WebGPU,/.test(error), error);
}

/**
 * Opens `/?name` for each name, served on loopback by `serve`. A page posts JSON to `/result?name` and goes where the answer says.
 * @param patience after which pages that posted nothing are given up @units ms
 * @param flags for Chromium, beside the usual ones
 * @returns what was posted, by name
 */
export async function visit<Name extends string, Found>(
  names: readonly Name[],
  serve: (url: URL, response: ServerResponse) => void,
  patience = 300_000,
  flags: readonly string[] = [],
): Promise<Map<Name, Found>> {
  const results = new Map<Name, Found>();
  const waiting = [...names];
  const next = () => (waiting.length > 0 ? `/?${waiting.shift()}` : "about:blank");
  const profile = mkdtempSync(join(tmpdir(), "ptdit-browser-"));
  const browser = await new Promise<ChildProcess | undefined>((resolve) => {
    const server = createServer(async (request, response) => {
      const url = new URL(request.url ?? "/", "http://page");
      if (url.pathname !== "/result") return serve(url, response);
      const name = names.find((one) => `?${one}` === url.search);
      if (name !== undefined) results.set(name, JSON.parse(await bodyOf(request)));
      response.end(next());
      if (results.size === names.length) finish();
    });
    let started: ChildProcess | undefined;
    const finish = () => {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
      resolve(started);
    };
    const timer = setTimeout(finish, patience);
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${next()}`;
      started = spawn(chromium ?? "chromium", [...chromiumFlags, ...flags, `--user-data-dir=${profile}`, url], {
        stdio: "ignore",
      });
    });
  });
  // False where it has ended, or never started.
  if (browser?.kill()) await once(browser, "exit");
  // Its helpers may hold on to the profile a moment longer; the system's own cleaning takes what is left.
  await rm(profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  return results;
}

/** A file of this folder and all that it imports, as one script. */
export async function bundled(file: string): Promise<string> {
  const entryPoints = [fileURLToPath(new URL(file, import.meta.url))];
  const { outputFiles } = await build({ entryPoints, format: "esm", ...forBrowsers, target: "es2022" });
  return outputFiles[0].text;
}

/** Lets a page share memory among threads. */
export function isolate(response: ServerResponse): void {
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request) body += piece;
  return body;
}
