import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two cores: one file at a time, so that threaded tests find both.
    fileParallelism: false,
    // Flags of the engine (`node --experimental-wasm-revectorize node_modules/vitest/vitest.mjs`) hold for the tests too.
    execArgv: process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm")),
  },
});
