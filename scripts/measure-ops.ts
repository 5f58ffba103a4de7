/**
 * Measures how far every op's value and gradients are from the reference on each device, and keeps the worst in docs/measured/ops.json, from
 * which `npm run docs` writes. A minute or two; WebGPU needs a driver (see docs/webgpu-use.md):
 *
 *     npx tsx scripts/measure-ops.ts
 */
import { writeFileSync } from "node:fs";
import type { Device } from "../src/backend/device.ts";
import { wasm, webgpu } from "../src/index.ts";
import { cases } from "../test/autograd/cases.ts";
import { errorsOn } from "../test/autograd/opErrors.ts";
import { measuredPath } from "./measured.ts";
import type { OpErrors } from "./opsTable.ts";

// The plain build: its bits are the same on every machine.
const devices: readonly Device[] = [await wasm({ threads: 1, vectors: "simd" }), await webgpu()];
const worst: Record<string, OpErrors> = {};
for (const own of cases) {
  for (const shapes of own.shapes) {
    const [onWasm, onWebgpu] = (await errorsOn(devices, own, shapes)).map((errors) => Math.max(...errors));
    const { wasm: w = 0, webgpu: g = 0 } = worst[own.op] ?? {};
    worst[own.op] = { wasm: Math.max(w, onWasm), webgpu: Math.max(g, onWebgpu) };
  }
}
// A detail is "adapter: its name: why it is this one".
const [, adapter] = devices[1].describe().details[0].split(": ");
writeFileSync(measuredPath("ops"), `${JSON.stringify({ adapter, worst })}\n`);
for (const device of devices) device.close();
