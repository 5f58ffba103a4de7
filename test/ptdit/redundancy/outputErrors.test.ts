import { describe, expect, it } from "vitest";
import { normalNumbers } from "../../../src/base/random.js";
import { outputErrors, pooledHead } from "../../../src/ptdit/redundancy/outputErrors.js";
import { attentionRings } from "../../../src/ptdit/redundancy/rings.js";
import { gatherRows, type Head, softmaxRows } from "../../../src/ptdit/redundancy/rows.js";

const rings = attentionRings([1, 8, 8], [1, 2, 2]);
const { members, tokens, windows } = rings;
const [keys, headDim] = [64, 4];
const numbers = (stream: number) => normalNumbers(keys * headDim, 3, stream);
const random: Head = { q: numbers(0), k: numbers(1), v: numbers(2), headDim };

/** The window that a token is of. */
const windowOf = (token: number) => Math.floor(members.indexOf(token) / tokens);

function errorsOf(head: Head, window: number) {
  const q = gatherRows(head.q, members.subarray(window * tokens, (window + 1) * tokens), headDim);
  return outputErrors(window, q, softmaxRows(q, head.k, headDim), head, pooledHead(head, rings), rings);
}

/** As `random`, but rows of a table are those of the first token of their window. */
const flat = (table: Float64Array) =>
  Float64Array.from(table, (_, i) => table[members[windowOf(Math.floor(i / headDim)) * tokens] * headDim + (i % headDim)]);

describe("errors of the output", () => {
  it("are those of the definitions, in plain sums", () => {
    const window = 5;
    const { q, k, v } = random;
    const ring = rings.ringOf(window);
    const own = [...members.subarray(window * tokens, (window + 1) * tokens)];
    const vector = (table: Float64Array, i: number) => [...table.subarray(i * headDim, (i + 1) * headDim)];
    const mean = (list: readonly number[][]) => list[0].map((_, c) => list.reduce((sum, one) => sum + one[c] / list.length, 0));
    const weight = (a: readonly number[], b: readonly number[]) =>
      Math.exp(a.reduce((sum, x, c) => sum + x * b[c], 0) / Math.sqrt(headDim));
    const far = Array.from({ length: windows }, (_, w) => w).filter((w) => ring[members[w * tokens]] >= 2);
    /** A row as [weight, value] pairs, near ones first. */
    const rowOf = (query: readonly number[], pooled: boolean) => {
      const near = [...ring.keys()].filter((j) => ring[j] < 2).map((j) => [weight(query, vector(k, j)), vector(v, j)] as const);
      const others = pooled
        ? far.map((w) => {
            const those = [...members.subarray(w * tokens, (w + 1) * tokens)];
            const key = mean(those.map((j) => vector(k, j)));
            return [tokens * weight(query, key), mean(those.map((j) => vector(v, j)))] as const;
          })
        : [...ring.keys()].filter((j) => ring[j] >= 2).map((j) => [weight(query, vector(k, j)), vector(v, j)] as const);
      const sum = [...near, ...others].reduce((all, [a]) => all + a, 0);
      const read = (part: typeof near) =>
        part.reduce((all, [a, value]) => all.map((x, c) => x + (a / sum) * value[c]), vector(new Float64Array(headDim), 0));
      return { near: read(near), far: read(others) };
    };
    const rows = own.map((i) => rowOf(vector(q, i), false));
    const pooledRows = own.map((i) => rowOf(vector(q, i), true).far);
    const meanQuery = mean(own.map((i) => vector(q, i)));
    const norm = (list: readonly number[][]) => Math.sqrt(list.flat().reduce((sum, x) => sum + x * x, 0));
    const minus = (a: readonly number[][], b: readonly number[][]) => a.map((one, i) => one.map((x, c) => x - b[i][c]));
    const size = norm(rows.map(({ near: a, far: b }) => a.map((x, c) => x + b[c])));
    const error = (part: "near" | "far", instead: (i: number) => number[]) =>
      norm(
        minus(
          rows.map((row) => row[part]),
          own.map((_, i) => instead(i)),
        ),
      ) / size;
    const meanOf = (part: "near" | "far") => mean(rows.map((row) => row[part]));
    const expected = {
      near: error("near", () => meanOf("near")),
      far: error("far", () => meanOf("far")),
      none: error("far", () => [0, 0, 0, 0]),
      query: error("far", () => rowOf(meanQuery, false).far),
      keys: error("far", (i) => pooledRows[i]),
      both: error("far", () => rowOf(meanQuery, true).far),
    };
    const found = errorsOf(random, window);
    for (const [name, value] of Object.entries(expected)) expect(found[name as keyof typeof found]).toBeCloseTo(value, 12);
    expect(Object.values(expected).every((value) => value > 0.05)).toBe(true);
  });

  it("are nothing where a window's queries are equal, or far windows are flat", () => {
    const equalQueries = errorsOf({ ...random, q: flat(random.q) }, 0);
    for (const name of ["near", "far", "query"] as const) expect(equalQueries[name]).toBeLessThan(1e-14);
    expect(equalQueries.keys).toBeCloseTo(equalQueries.both, 14);
    const flatKeys = errorsOf({ ...random, k: flat(random.k), v: flat(random.v) }, 0);
    expect(flatKeys.keys).toBeLessThan(1e-14);
    expect(flatKeys.both).toBeCloseTo(flatKeys.query, 13);
    const { both } = errorsOf({ q: flat(random.q), k: flat(random.k), v: flat(random.v), headDim }, 0);
    expect(both).toBeLessThan(1e-14);
  });
});
