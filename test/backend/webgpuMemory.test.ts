/** Where storages lie in the buffers of a GPU, with a GPU that only counts. */
import { expect, it } from "vitest";
import { GpuMemory, type Place } from "../../src/backend/webgpu/memory.js";
import type { GpuDevice } from "../../src/base/gpu.js";

const device = (): GpuDevice =>
  ({
    createBuffer: ({ size }: { readonly size: number }) => ({ size, destroy: () => undefined }),
    createCommandEncoder: () => ({ clearBuffer: () => undefined, finish: () => ({}) }),
    queue: { submit: () => undefined },
  }) as unknown as GpuDevice;

it("storages lie within their buffers and beside each other, also when one buffer is full", () => {
  const memory = new GpuMemory(device(), 2 ** 30);
  const held: { readonly place: Place; readonly bytes: number }[] = [];
  const take = (bytes: number) => held.push({ place: memory.allocate(bytes / 4, true), bytes });
  const mebibyte = 2 ** 20;
  // Three fill most of a buffer of 16 MiB; what is left is too small for the next.
  for (const size of [4, 4, 4, 3, 4, 2, 1, 4, 4, 4, 0.5]) take(size * mebibyte);
  for (const { place } of held.splice(1, 2)) memory.release(place);
  for (const size of [3, 4, 4, 1]) take(size * mebibyte);
  const ends = held.map(({ place, bytes }) => ({ ...place, end: place.first + bytes / 4 }));
  for (const { buffer, end } of ends) expect(4 * end).toBeLessThanOrEqual(buffer.size);
  for (const [i, a] of ends.entries())
    for (const b of ends.slice(i + 1)) expect(a.buffer !== b.buffer || a.end <= b.first || b.end <= a.first).toBe(true);
  expect(new Set(ends.map(({ buffer }) => buffer)).size).toBeGreaterThan(1);
});

it("buffers are as small as the adapter's", () => {
  const memory = new GpuMemory(device(), 10_000);
  const places = Array.from({ length: 9 }, () => memory.allocate(500, true));
  expect(new Set(places.map(({ buffer }) => buffer.size))).toEqual(new Set([9984]));
  expect(new Set(places.map(({ buffer }) => buffer)).size).toBe(3);
  expect(memory.allocate(2500, true)).toMatchObject({ buffer: { size: 10_000 }, first: 0 });
});
