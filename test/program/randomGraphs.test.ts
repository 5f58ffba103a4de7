import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { readParameter, releaseParameters } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";
import { randomGraph } from "./randomGraphs.js";

/** Fusion, lifetimes, the memory plan and updates in place at once: where one of them is wrong, some number is. */
describe.each([
  ["reference", async () => reference(), 1e-12],
  ["wasm", () => wasm({ threads: 2 }), 1e-5],
] as const)("random graphs on %s", (_, open, tolerance) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  const worst = (got: ArrayLike<number>, want: Float64Array) =>
    want.reduce((most, value, i) => Math.max(most, Math.abs(got[i] - value) / (1 + Math.abs(value))), 0);

  it("compute what loops over arrays do, outputs and updates, run after run", async () => {
    await fc.assert(
      fc.asyncProperty(randomGraph, async ({ inputs, feed, outputs, updates, expected }) => {
        const program = await compile(device, { inputs, outputs, updates });
        const results = await program.run(feed);
        for (const [name, want] of Object.entries(expected.outputs))
          expect(worst(results[name].data, want), name).toBeLessThan(tolerance);
        for (const [i, [parameter]] of updates.entries()) {
          expect(worst(await readParameter(device, parameter), expected.updates[i])).toBeLessThan(tolerance);
        }
        program.dispose();
        releaseParameters(
          device,
          updates.map(([parameter]) => parameter),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("cost no more fused than apart: calls, bytes moved, memory", async () => {
    await fc.assert(
      fc.asyncProperty(randomGraph, async ({ inputs, outputs, updates }) => {
        const program = await compile(device, { inputs, outputs, updates });
        const [fused, apart] = [program.footprint(true), program.footprint(false)];
        expect(fused.calls).toBeLessThanOrEqual(apart.calls);
        expect(fused.traffic).toBeLessThanOrEqual(apart.traffic);
        program.dispose();
        releaseParameters(
          device,
          updates.map(([parameter]) => parameter),
        );
      }),
      { numRuns: 100 },
    );
  });
});
