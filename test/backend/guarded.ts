/** Buffers of a device with words before and after them that no kernel leaves behind. */
import { callBuffers, mapBuffers } from "../../src/backend/calls.js";
import type { Device, Slot } from "../../src/backend/device.js";
import type { HostArray } from "../../src/backend/host.js";
import type { Case, Numbers } from "./kernelHarness.js";

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

/** What a call leaves in its buffers, and whether the words around them are as they were. */
export async function outcomeOn(
  device: Device,
  { call }: Case,
): Promise<{ readonly numbers: readonly HostArray[]; readonly intact: boolean }> {
  const places = new Map<Numbers, Slot>();
  const place = (buffer: Numbers): Slot => {
    const slot = places.get(buffer) ?? guarded(device, buffer);
    places.set(buffer, slot);
    return slot;
  };
  const executable = device.load([mapBuffers(call, place)]);
  executable.run();
  const numbers = await Promise.all(
    callBuffers(call).map(({ buffer }) => device.read(place(buffer), buffer.data.length, buffer.type)),
  );
  const around = await Promise.all(
    [...places].flatMap(([{ data }, { storage, offset }]) => [
      device.read({ storage, offset: 0 }, margin, "f32"),
      device.read({ storage, offset: offset + data.length }, margin, "f32"),
    ]),
  );
  executable.dispose();
  for (const { storage } of places.values()) device.release(storage);
  return { numbers, intact: around.every((words) => words.every((word) => word === canary)) };
}
