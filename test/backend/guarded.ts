/** Buffers of a device with words before and after them that no kernel leaves behind. */
import type { Device, Slot } from "../../src/backend/device.js";
import type { Numbers } from "./kernelHarness.js";

export const [canary, margin] = [-12345.5, 17];

/** Puts a buffer's numbers between canaries, in memory of its own that begins `margin` before the slot. */
export function guarded(device: Device, { data, type }: Numbers): Slot {
  const elements = data.length + 2 * margin;
  const storage = device.allocate(elements, "a test's buffer");
  device.write({ storage, offset: 0 }, new Float32Array(elements).fill(canary), "f32");
  const slot = { storage, offset: margin };
  device.write(slot, data, type);
  return slot;
}
