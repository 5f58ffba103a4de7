import { fileURLToPath } from "node:url";

/** Options of esbuild that bundle the sources as the built package is bundled for browsers: with the runtime that package.json gives them. */
export const forBrowsers = {
  bundle: true,
  platform: "browser",
  write: false,
  alias: { "#runtime": fileURLToPath(new URL("../src/base/browserRuntime.ts", import.meta.url)) },
  // Those of the repository say where Node's runtime is.
  tsconfigRaw: {},
} as const;
