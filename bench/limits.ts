import { add, mul } from "../src/autograd/ops/elementwise.js";
import { parameter } from "../src/autograd/tensor.js";
import type { Device } from "../src/backend/device.js";
import type { WasmDevice } from "../src/backend/wasm/device.js";
import type { Update } from "../src/program/updates.js";
import { bandwidthCase, bandwidthElements, expCase, expElements } from "./cases.js";
import type { Limits, Rates } from "./protocol.js";
import { awaitedRunner } from "./runner.js";

/** The least that a run takes. @units ms */
async function fastest(device: Device, updates: readonly Update[], runs: number): Promise<number> {
  const runner = awaitedRunner(device, updates);
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) ms = Math.min(ms, await runner.run());
  runner.dispose();
  return ms;
}

/** What this machine can do now: arithmetic in registers, streams through memory, exponentials from the cache. */
export const measureLimits = async (device: WasmDevice): Promise<Limits> => ({
  gflops: device.peakFlops(100) * device.threads,
  // Two arrays are read, one is written.
  bandwidthGBs: (12 * bandwidthElements) / (await fastest(device, bandwidthCase(), 12)) / 1e6,
  expPerNs: expElements / (await fastest(device, expCase(), 400)) / 1e6,
});

/** Chains of multiply-adds that do not wait for each other, and how many each has. */
const [chains, links] = [4, 64];

/** Elementwise arithmetic that reads and writes next to nothing beside it. */
function chainCase(elements: number): readonly Update[] {
  const x = parameter([elements]);
  const ends = Array.from({ length: chains }, (_, chain) => {
    let end = add(x, chain);
    for (let i = 0; i < links; i++) end = add(mul(end, 0.5), 0.25);
    return end;
  });
  return [[x, ends.reduce((sum, end) => add(sum, end))]];
}

/** Runs are made larger until one takes so long: what it costs to start them is little then. @units ms */
const longEnough = 4;
/** 64 MiB, which every adapter binds. */
const mostElements = 1 << 24;

/** The same of any device, from programs: their arithmetic stays in registers, or is next to none. */
export async function programRates(device: Device): Promise<Rates> {
  const rate = async (updates: (elements: number) => readonly Update[], work: number): Promise<number> => {
    for (let elements = 1 << 16; ; elements *= 4) {
      const ms = await fastest(device, updates(elements), 5);
      if (ms >= longEnough || elements >= mostElements) return (work * elements) / ms / 1e6;
    }
  };
  return { gflops: await rate(chainCase, 2 * chains * links), bandwidthGBs: await rate(bandwidthCase, 12) };
}
