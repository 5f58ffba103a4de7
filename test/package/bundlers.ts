/** Bundlers as they come: told what to bundle and where to, and nothing else. */
import { nodeResolve } from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import { build as vite } from "vite";
import webpack from "webpack";

export interface Bundler {
  /** Bundles scripts, by name, that stand in a folder. What it finds fault with is an error. */
  bundle(entries: Record<string, string>, folder: string, out: string): Promise<unknown>;
  /** How a page loads what it makes. */
  readonly script: "module" | "classic";
}

export const bundlers = {
  esbuild: {
    bundle: (entryPoints, _, outdir) => esbuild.build({ entryPoints, outdir, bundle: true, logLevel: "silent" }),
    script: "classic",
  },
  Vite: {
    bundle: (input, root, outDir) =>
      vite({ root, configFile: false, logLevel: "silent", build: { outDir, rolldownOptions: { input } } }),
    script: "module",
  },
  webpack: { bundle: bundleByWebpack, script: "classic" },
  Rollup: { bundle: bundleByRollup, script: "module" },
} as const satisfies Readonly<Record<string, Bundler>>;
export type BundlerName = keyof typeof bundlers;

function bundleByWebpack(entry: Record<string, string>, context: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    webpack({ context, entry, mode: "production", output: { path } }, (error, stats) => {
      const { errors = [], warnings = [] } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
      // Of sizes it warns from 244 KiB on, packed or not.
      const faults = [...errors, ...warnings].filter(({ message }) => !/size limit|performance recommendations/.test(message));
      if (error || faults.length > 0) reject(error ?? new Error(faults.map(({ message }) => message).join("\n")));
      else resolve();
    });
  });
}

async function bundleByRollup(input: Record<string, string>, _: string, dir: string): Promise<void> {
  const bundle = await rollup({
    input,
    plugins: [nodeResolve()],
    // It takes optional packages that are not modules as they are: a page has the browser's own decoders.
    onwarn: ({ code, message }) => {
      if (code === "UNRESOLVED_IMPORT") throw new Error(message);
    },
  });
  await bundle.write({ dir, format: "es" });
  await bundle.close();
}
