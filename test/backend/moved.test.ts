/** What kernels say they touch and move, held against their float64 truths on arrays that keep a record. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callBuffers, callCost, type KernelCall, mapBuffers, runReference } from "../../src/backend/calls.js";
import { cases } from "./kernelCases.js";
import { f32, type Numbers } from "./kernelHarness.js";

interface Watched {
  readonly array: Float64Array;
  readonly read: ReadonlySet<number>;
  readonly written: ReadonlySet<number>;
}

/** An array that notes which of its elements are read and written. */
function watched(data: Float64Array): Watched {
  const [read, written] = [new Set<number>(), new Set<number>()];
  const mark = (set: Set<number>, from: number, count: number) => {
    for (let i = from; i < from + count; i++) set.add(i);
  };
  const proxy = (own: Float64Array, base: number): Float64Array =>
    new Proxy(own, {
      get(_, key) {
        if (typeof key === "string" && /^\d+$/.test(key)) {
          read.add(base + Number(key));
          return own[Number(key)];
        }
        if (key === "length") return own.length;
        if (key === "subarray") return (from = 0, to = own.length) => proxy(own.subarray(from, to), base + from);
        if (key === "set")
          return (numbers: ArrayLike<number>, at = 0) => {
            mark(written, base + at, numbers.length);
            own.set(Array.from(numbers), at);
          };
        if (key === "fill")
          return (value: number, from = 0, to = own.length) => {
            mark(written, base + from, to - from);
            own.fill(value, from, to);
          };
        // All others only read.
        const method: unknown = Reflect.get(own, key, own);
        if (typeof method !== "function") return method;
        mark(read, base, own.length);
        return method.bind(own);
      },
      set(_, key, value: number) {
        written.add(base + Number(key));
        own[Number(key)] = value;
        return true;
      },
    });
  return { array: proxy(data, 0), read, written };
}

/** The buffers of a call, and what its truth did to each. */
function traced(call: KernelCall<Numbers>) {
  const all: Watched[] = [];
  const arrays = mapBuffers(call, ({ data }) => {
    const own = watched(data.slice());
    all.push(own);
    return own.array;
  });
  runReference(arrays);
  return callBuffers(call).map((use, i) => ({ ...use, ...all[i] }));
}

const largest = (indices: Iterable<number>): number => Math.max(-1, ...indices);

/** Where a kernel may read fewer elements than it says it moves. */
const fewer: Readonly<Record<string, string>> = {
  "copyStrided.x": "an element is read once for every place it goes to",
  "gatherRows.x": "a row is read as often as it is asked for",
  "scatterAddRows.x": "rows with an index outside the table are left out",
  "fold.x": "patches reach beyond the picture",
  "unfold.x": "patches may leave gaps",
  "argMax.x": "the largest of one is known",
  "matmul.b": "panels are filled up to 16 columns",
};

describe("every kernel", () => {
  const all = cases().filter(({ call }) => callBuffers(call).every(({ elements }) => elements <= 20_000));
  const found = new Set<string>();

  it("touches nothing beyond the extents it gives, and writes all that it says it writes", () => {
    for (const { name, call } of all) {
      for (const { name: role, writes, elements, moved, read, written } of traced(call)) {
        const where = `${name}: ${role}`;
        expect(largest([...read, ...written]), where).toBeLessThan(elements);
        expect(written.size, where).toBe(writes ? moved : 0);
        if (writes) continue;
        const place = `${call.kernel}.${role}`;
        if (read.size < moved) found.add(place);
        if (place in fewer) expect(read.size, where).toBeLessThanOrEqual(moved);
        else expect(read.size, where).toBe(moved);
      }
    }
  });

  it("moves what it says, but where there is a reason", () => {
    expect([...found].sort()).toEqual(Object.keys(fewer).sort());
  });
});

describe("random calls", () => {
  const size = fc.integer({ min: 1, max: 5 });
  const four = fc.tuple(size, size, size, size);
  const mask = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean());

  /** Strides of a tensor that is stretched along some axes. */
  const stretched = (dims: readonly number[], along: readonly boolean[]): number[] => {
    let stride = 1;
    const strides = dims.map(() => 0);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      if (along[axis]) continue;
      strides[axis] = stride;
      stride *= dims[axis];
    }
    return strides;
  };
  const room = (dims: readonly number[], strides: readonly number[]): number =>
    dims.reduce((last, size, axis) => last + (size - 1) * strides[axis], 1);

  it("of fused kernels move every element they read once, however it is stretched", () => {
    fc.assert(
      fc.property(four, fc.array(mask, { minLength: 1, maxLength: 3 }), (dims, masks) => {
        const reads = masks.map((along) => {
          const strides = stretched(dims, along) as [number, number, number, number];
          return { buffer: f32(room(dims, strides)), strides };
        });
        const count = dims.reduce((n, d) => n * d, 1);
        const y = reads.length;
        const call: KernelCall<Numbers> = {
          ...{ kernel: "fused", dims, reads, constants: [], writes: [f32(count)], temporaries: 0 },
          code: [["copy", y, 0, 0, 0], ...reads.map((_, i) => ["add", y, y, i, 0] as const)],
        };
        const uses = traced(call);
        for (const { writes, moved, read, written } of uses) expect(writes ? written.size : read.size).toBe(moved);
        expect(callCost(call).bytes).toBe(
          4 * uses.reduce((sum, { read, written, writes }) => sum + (writes ? written : read).size, 0),
        );
      }),
    );
  });

  it("of reductions read every element once and write a number a chunk", () => {
    fc.assert(
      fc.property(fc.tuple(size, size, size), fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), size, (dims, along, part) => {
        const [outer, rows, inner] = dims;
        const chunk = Math.min(part, rows);
        const strides = stretched(dims, along) as [number, number, number];
        const call: KernelCall<Numbers> = {
          ...{ kernel: "reduce", mode: "sum", dims, chunk, constants: [], temporaries: 0, code: [], result: 0 },
          reads: [{ buffer: f32(room(dims, strides)), strides }],
          write: f32(outer * Math.ceil(rows / chunk) * inner),
        };
        for (const { writes, moved, read, written } of traced(call)) expect(writes ? written.size : read.size).toBe(moved);
      }),
    );
  });
});
