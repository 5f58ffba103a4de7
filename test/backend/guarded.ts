/** Buffers of a device with words before and after them that no kernel leaves behind. */
import { callBuffers, type KernelCall, mapBuffers } from "../../src/backend/calls.js";
import type { Device, Slot } from "../../src/backend/device.js";
import type { HostArray } from "../../src/backend/host.js";
import { cases } from "./kernelCases.js";
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

/** Made when they are first asked for: they are many. */
let all: readonly KernelCall<Numbers>[] | undefined;

/** The calls of a kernel, among the cases, that need the most memory. */
export function largestCases(kernel: string, count = 1): readonly KernelCall<Numbers>[] {
  all ??= cases().map(({ call }) => call);
  return all
    .filter((call) => call.kernel === kernel)
    .map((call) => ({ call, elements: callBuffers(call).reduce((sum, { elements }) => sum + elements, 0) }))
    .sort((a, b) => b.elements - a.elements)
    .slice(0, count)
    .map(({ call }) => call);
}

/** Runs calls, loaded at once, each with memory of its own: in how many dispatches, and what they leave in their buffers and around them. */
export function outcomeOf(device: Device, calls: readonly KernelCall<Numbers>[]) {
  const slots: { readonly slot: Slot; readonly elements: number }[] = [];
  const bound = calls.map((call) => {
    const places = new Map<Numbers, Slot>();
    return mapBuffers(call, (buffer) => {
      const known = places.get(buffer);
      if (known) return known;
      const slot = guarded(device, buffer);
      places.set(buffer, slot);
      slots.push({ slot: { ...slot, offset: 0 }, elements: buffer.data.length + 2 * margin });
      return slot;
    });
  });
  const executable = device.load(bound);
  const words = async (): Promise<Int32Array[]> => {
    executable.run();
    const all = await Promise.all(slots.map(({ slot, elements }) => device.read(slot, elements, "i32")));
    executable.dispose();
    for (const { slot } of slots) device.release(slot.storage);
    return all.map((own) => own as Int32Array);
  };
  return { dispatches: executable.intervals, words };
}
