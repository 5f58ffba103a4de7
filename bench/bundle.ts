import { fileURLToPath } from "node:url";
import { runtime } from "#runtime";
import { messageOf } from "../src/base/errors.js";
import type { Missing } from "./contender.js";

/** Built or from the sources, as this file is. */
const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
/** A script of the bench or of the library: its path from here, without its ending. */
export const ownScript = (path: string): string => fileURLToPath(new URL(`./${path}.${ending}`, import.meta.url));

const bundles = new Map<string, Promise<string | Missing>>();

/** A script and all that it imports, as one for a browser; or why it cannot be made: what it imports is not installed, say. */
export function bundled(script: string): Promise<string | Missing> {
  const bundle = bundles.get(script) ?? make(script);
  bundles.set(script, bundle);
  return bundle;
}

async function make(script: string): Promise<string | Missing> {
  try {
    // The repository's: other engines come with it, not with the published package.
    const { build } = (await runtime.packages.load("esbuild")) as typeof import("esbuild");
    const { outputFiles } = await build({
      entryPoints: [script],
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      target: "es2022",
      logLevel: "silent",
      alias: { "#runtime": ownScript("../src/base/browserRuntime") },
      // The repository's say where Node's runtime is.
      tsconfigRaw: {},
      external: ["node:*"],
    });
    return outputFiles[0].text;
  } catch (error) {
    // The first line counts the faults, the second is one.
    const [first, second = first] = messageOf(error).split("\n");
    return { missing: second };
  }
}
