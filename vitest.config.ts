import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files of the longest tests first, so that none of them is alone at the end: those that start commands and install the package. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => /\/test\/(cli|package)\//.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  // What package.json says of Node, in the sources.
  resolve: { alias: { "#runtime": fileURLToPath(new URL("src/node/runtime.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Every core has a file: no test measures time, and threads that come late are passed over.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    // Flags of the engine (`node --experimental-wasm-revectorize node_modules/vitest/vitest.mjs`) hold for the tests too.
    execArgv: process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm")),
  },
});
