import type { WasmDevice } from "../src/backend/wasm/device.js";
import type { Update } from "../src/program/updates.js";
import { bandwidthCase, bandwidthElements, expCase, expElements } from "./cases.js";
import type { Limits } from "./protocol.js";
import { programRunner } from "./runner.js";

/** What this machine can do now: arithmetic in registers, streams through memory, exponentials from the cache. */
export function measureLimits(device: WasmDevice): Limits {
  const fastest = (updates: readonly Update[], runs: number) => {
    const runner = programRunner(device, updates);
    let ms = Number.POSITIVE_INFINITY;
    for (let i = 0; i < runs; i++) ms = Math.min(ms, runner.run());
    runner.dispose();
    return ms;
  };
  return {
    gflops: device.peakFlops(100) * device.threads,
    // Two arrays are read, one is written.
    bandwidthGBs: (12 * bandwidthElements) / fastest(bandwidthCase(), 12) / 1e6,
    expPerNs: expElements / fastest(expCase(), 400) / 1e6,
  };
}
