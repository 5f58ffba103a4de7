import fc from "fast-check";
import { expect, it } from "vitest";
import { Heap } from "../../src/backend/heap.js";

const [start, growth, most] = [64, 4096, 1 << 20];

/** A heap over a range that grows in steps, up to a limit. */
function newHeap(): Heap {
  let end = start;
  return new Heap(start, (bytes) => {
    const wanted = end + Math.ceil(bytes / growth) * growth;
    if (wanted > most) return undefined;
    end = wanted;
    return end;
  });
}

it("blocks in use never overlap, are aligned, and hold what was asked for", () => {
  const action = fc.oneof(fc.record({ take: fc.integer({ min: 0, max: 20_000 }) }), fc.record({ give: fc.nat() }));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const heap = newHeap();
      const used: { address: number; bytes: number }[] = [];
      for (const own of actions) {
        if ("give" in own) {
          const [block] = used.splice(own.give % Math.max(1, used.length), 1);
          if (block) heap.release(block.address);
          continue;
        }
        const block = heap.allocate(own.take);
        if (!block) continue;
        expect(block.address % 64).toBe(0);
        expect(block.address).toBeGreaterThanOrEqual(start);
        expect(block.address + own.take).toBeLessThanOrEqual(most);
        for (const other of used) {
          const apart = block.address >= other.address + other.bytes || other.address >= block.address + own.take;
          expect(apart || own.take === 0 || other.bytes === 0).toBe(true);
        }
        used.push({ address: block.address, bytes: own.take });
      }
    }),
  );
});

it("what was given back serves again, whatever the order: as much as ever fits at once", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 }), fc.nat(), (sizes, seed) => {
      const heap = newHeap();
      const blocks = sizes.map((bytes) => heap.allocate(bytes)!.address);
      const order = blocks.map((_, i) => i).sort((a, b) => ((a * 7919 + seed) % 101) - ((b * 7919 + seed) % 101));
      for (const i of order) heap.release(blocks[i]);
      const total = sizes.reduce((sum, bytes) => sum + Math.ceil(bytes / 64) * 64, 0);
      expect(heap.allocate(total)?.address).toBe(start);
    }),
  );
});

it("memory that was handed out before is said to be stale, memory that never was is not", () => {
  const heap = newHeap();
  const first = heap.allocate(1000)!;
  expect(first.stale).toBe(0);
  heap.release(first.address);
  expect(heap.allocate(512)).toEqual({ address: first.address, stale: 512 });
  expect(heap.allocate(1024)).toEqual({ address: first.address + 512, stale: 512 });
});
