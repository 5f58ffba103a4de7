import { describe, expect, it, vi } from "vitest";
import { normalNumbers } from "../../../src/base/random.js";
import { attentionRings } from "../../../src/ptdit/redundancy/rings.js";
import type { Head } from "../../../src/ptdit/redundancy/rows.js";
import { median } from "../../../src/ptdit/redundancy/statistics.js";
import { verdictOf } from "../../../src/ptdit/redundancy/verdict.js";
import { measureHead, type WindowMeasures } from "../../../src/ptdit/redundancy/windowMeasures.js";

const side = 16;
const keys = side * side;
const rings = attentionRings([1, side, side], [1, 4, 4]);

/** Features of a place along an axis whose products are a bump: they depend on the distance of two places, and fade with it. */
const waves = 7;
const strengths = Array.from({ length: waves }, (_, k) => Math.exp(-((k / 3.5) ** 2)) * (k === 0 ? 0.5 : 1));
const total = strengths.reduce((sum, one) => sum + one, 0);
const along = (x: number): number[] =>
  strengths.flatMap((strength, k) => {
    // Twice as long as the grid, so that opposite borders are far from each other.
    const angle = (2 * Math.PI * k * x) / (2 * side);
    return [Math.cos(angle), Math.sin(angle)].map((wave) => Math.sqrt(strength / total) * wave);
  });

/** A head whose logits are `bump` for a token's own place, less for its neighbours, none far away, and what each key says for itself. */
function headOf(bump: number, content: number): Head {
  const own = normalNumbers(keys, 11, 0);
  const features = (token: number) => {
    const [x, y] = [along(token % side), along(Math.floor(token / side))];
    return x.flatMap((a) => y.map((b) => a * b));
  };
  const headDim = (2 * waves) ** 2 + 1;
  const scale = Math.sqrt(headDim);
  const table = (row: (token: number) => number[]) =>
    Float64Array.from(Array.from({ length: keys }, (_, token) => row(token)).flat());
  return {
    q: table((token) => [...features(token).map((x) => x * bump * scale), content * scale]),
    k: table((token) => [...features(token), own[token]]),
    v: normalNumbers(keys * headDim, 11, 1),
    headDim,
  };
}

const middle = (all: readonly WindowMeasures[], value: (one: WindowMeasures) => number) => median(all.map(value));

describe("a head", () => {
  it("whose rows differ near and agree far is found to do so, and its proxy row to be enough", () => {
    const all = measureHead(headOf(5, 1), rings, 0, 0);
    expect(all).toHaveLength(rings.windows);
    expect(verdictOf([all])).toMatchObject({ outcome: "confirmed", heads: 1 });
    // Rows differ more beside their window than within it, so that D does not fall from ring to ring.
    expect(verdictOf([all]).correlation).toBeLessThan(-0.5);
    expect(middle(all, ({ rows }) => rows.near)).toBeGreaterThan(0.4);
    expect(middle(all, ({ rows }) => rows.divergence[3])).toBeLessThan(1e-3);
    expect(middle(all, ({ random }) => random.far)).toBeGreaterThan(0.4);
    expect(middle(all, ({ errors }) => errors.near)).toBeGreaterThan(0.4);
    expect(middle(all, ({ errors }) => errors.far)).toBeLessThan(0.15);
    // Keys say something each for themselves, which their means do not.
    expect(middle(all, ({ errors }) => errors.keys)).toBeGreaterThan(2 * middle(all, ({ errors }) => errors.far));
  });

  it("whose rows are all alike is not: they agree far, but near too, and from anywhere", () => {
    const all = measureHead(headOf(0, 1), rings, 0, 0);
    expect(middle(all, ({ rows }) => rows.far)).toBeLessThan(1e-20);
    expect(middle(all, ({ random }) => random.far)).toBeLessThan(1e-20);
    expect(middle(all, ({ errors }) => Math.max(errors.near, errors.far, errors.query))).toBeLessThan(1e-12);
    expect(middle(all, ({ errors }) => errors.keys)).toBeGreaterThan(0.1);
    expect(middle(all, ({ pairs }) => pairs)).toBeLessThan(1e-15);
  });

  it("whose rows are independent is not: windows are as rows from anywhere", () => {
    const headDim = 16;
    const numbers = (stream: number) => normalNumbers(keys * headDim, 13, stream);
    const all = measureHead({ q: numbers(0), k: numbers(1).map((x) => 2 * x), v: numbers(2), headDim }, rings, 0, 0);
    const [own, anywhere] = [middle(all, ({ rows }) => rows.far), middle(all, ({ random }) => random.far)];
    expect(Math.abs(own - anywhere)).toBeLessThan(0.05);
    expect(Math.min(own, anywhere)).toBeGreaterThan(0.6);
    expect(verdictOf([all]).outcome).not.toBe("confirmed");
    expect(Math.abs(verdictOf([all]).correlation)).toBeLessThan(0.3);
  });

  it("is measured the same again, and with other random rows by another seed", () => {
    const head = headOf(2, 1);
    const first = measureHead(head, rings, 0, 3);
    expect(measureHead(head, rings, 0, 3)).toEqual(first);
    const other = measureHead(head, rings, 1, 3);
    expect(other.map(({ rows }) => rows)).toEqual(first.map(({ rows }) => rows));
    expect(other[0].random).not.toEqual(first[0].random);
  });
});

describe("memory", () => {
  /** The largest array of numbers that is asked for while a head is measured, over the tokens there are. */
  function largestArray(side: number): number {
    const [tokens, headDim] = [side * side, 8];
    const numbers = (stream: number) => normalNumbers(tokens * headDim, 17, stream);
    const head = { q: numbers(0), k: numbers(1), v: numbers(2), headDim };
    let most = 0;
    const watched = [Float64Array, Float32Array, Int32Array, Uint32Array].map((kind) => [kind.name, kind] as const);
    for (const [name, kind] of watched) {
      const told = class extends (kind as Float64ArrayConstructor) {
        constructor(...given: ConstructorParameters<Float64ArrayConstructor>) {
          super(...given);
          most = Math.max(most, this.length);
        }
      };
      vi.stubGlobal(name, told);
    }
    try {
      const all = measureHead(head, attentionRings([1, side, side], [1, 4, 4]), 0, 0);
      expect(all).toHaveLength(tokens / 16);
      // What is kept of a window is of its rings.
      expect(JSON.stringify(all[0]).length).toBeLessThan(60 * (side + 20));
    } finally {
      vi.unstubAllGlobals();
    }
    return most / tokens;
  }

  it("grows with the tokens, not with their square: no array holds more than one window's rows", () => {
    const [small, large] = [largestArray(16), largestArray(32)];
    expect([small, large]).toEqual([16, 16]);
  });
});
