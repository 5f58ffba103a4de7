import { WasmDevice } from "../../src/backend/wasm/device.js";
import type { Trainer } from "../../src/ptdit/trainer.js";
import { showTime } from "../show/progress.js";

/** Part of a device's peak that training steps reach: between this and 0.8, by the benchmark's workloads. */
const reached = 0.6;
/** Time to find the peak in. */
const probeMs = 20;

/** How long steps will take on this device, as far as their arithmetic tells before the first; undefined: nothing tells. */
export function forecast({ device, stepProgram }: Trainer, steps: number): string | undefined {
  if (!(device instanceof WasmDevice)) return undefined;
  const { multiplyAdds } = stepProgram;
  const rate = device.peakFlops(probeMs) * device.threads * 1e9 * reached;
  const billions = (multiplyAdds / 1e9).toFixed(1);
  return `${billions} G multiply-adds a step, about ${showTime((2 * multiplyAdds * steps) / rate)} for ${steps} steps here`;
}
