import { describe, expect, it } from "vitest";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Slot } from "../../src/backend/device.js";
import { callOrder, intervalEnds, type Stretch, schedule } from "../../src/backend/wasm/schedule.js";
import { uniformNumbers } from "../../src/base/random.js";

const [x, y] = [{ name: "x" }, { name: "y" }];
const reads = (storage: object, start: number, end: number): Stretch => ({ storage, start, end, writes: false });
const writes = (storage: object, start: number, end: number): Stretch => ({ storage, start, end, writes: true });

describe("intervals between barriers", () => {
  it("ends before a call that reads what the interval wrote", () => {
    expect(intervalEnds([[writes(x, 0, 4)], [writes(x, 4, 8)], [reads(x, 3, 4)]])).toEqual([false, true, true]);
  });

  it("ends before a call that writes over what the interval read", () => {
    expect(intervalEnds([[reads(x, 0, 4)], [writes(x, 0, 1)]])).toEqual([true, true]);
  });

  it("goes on where calls only read the same, touch, or use other storages", () => {
    expect(intervalEnds([[reads(x, 0, 4), writes(y, 0, 4)], [reads(x, 0, 4), writes(y, 4, 8)], [writes(x, 4, 8)]])).toEqual([
      false,
      false,
      true,
    ]);
  });

  it("compares a call with all of its interval, not only with the call before", () => {
    expect(intervalEnds([[writes(x, 0, 4)], [writes(y, 0, 4)], [reads(x, 0, 1)]])).toEqual([false, true, true]);
  });

  it("keeps every two calls of an interval apart, whatever they touch", () => {
    const draws = uniformNumbers(3000, 5, 0);
    const calls = Array.from({ length: 500 }, (_, i) =>
      [0, 1].map((k): Stretch => {
        const at = 6 * i + 3 * k;
        const start = Math.floor(draws[at] * 60);
        const end = start + 1 + Math.floor(draws[at + 1] * 8);
        return { storage: draws[at + 2] < 0.5 ? x : y, start, end, writes: k === 0 };
      }),
    );
    const clash = (a: Stretch, b: Stretch) =>
      a.storage === b.storage && (a.writes || b.writes) && a.start < b.end && b.start < a.end;
    const ends = intervalEnds(calls);
    expect(ends.filter(Boolean).length).toBeLessThan(calls.length);
    let first = 0;
    for (const [i, call] of calls.entries()) {
      const before = calls.slice(first, i).flat();
      expect(call.some((own) => before.some((other) => clash(own, other)))).toBe(false);
      if (ends[i]) first = i + 1;
    }
  });
});

describe("order of calls", () => {
  it("treats a chain as one piece of work", () => {
    const product = [reads(x, 0, 4), writes(y, 0, 4)];
    const follower = [reads(y, 0, 4), writes(y, 4, 8)];
    const other = [reads(x, 0, 4), writes(x, 8, 12)];
    expect(callOrder([product, follower, other, [reads(y, 4, 8)]], [true, false, false, false])).toEqual([
      "chain",
      "goOn",
      "meet",
      "meet",
    ]);
  });

  it("meets before a chain whose second call needs what came before", () => {
    const before = [writes(x, 8, 12)];
    const product = [reads(x, 0, 4), writes(y, 0, 4)];
    const follower = [reads(y, 0, 4), reads(x, 8, 12), writes(y, 4, 8)];
    expect(callOrder([before, product, follower], [false, true, false])).toEqual(["meet", "chain", "meet"]);
  });
});

describe("the schedule of calls", () => {
  const storage = { elements: 4096 };
  const at = (offset: number): Slot => ({ storage, offset });
  const product = (c: number): KernelCall<Slot> => ({
    kernel: "matmul",
    args: {
      ...{ c: at(c), sums: null, a: at(0), b: at(512), bias: null, batch: 1, m: 16, n: 8, k: 32 },
      ...{ strideA: 0, strideB: 0, strideC: 128, transposeA: 0, transposeB: 0, accumulate: 0, alpha: 1 },
    },
  });
  const doubled = (from: number, to: number): KernelCall<Slot> => ({
    kernel: "fused",
    dims: [1, 1, 1, 128],
    reads: [{ buffer: at(from), strides: [0, 0, 0, 1] }],
    constants: [2],
    writes: [at(to)],
    temporaries: 0,
    code: [["mul", 2, 0, 1, 0]],
  });

  it("lets an elementwise call follow the product whose rows it reads", () => {
    expect(schedule([product(1024), doubled(1024, 2048)])).toEqual(["chain", "meet"]);
  });

  it("but not where it writes over what the product still reads, or reads something else", () => {
    expect(schedule([product(1024), doubled(1024, 500)])).toEqual(["meet", "meet"]);
    expect(schedule([product(1024), doubled(2048, 3000)])).toEqual(["goOn", "meet"]);
  });
});
