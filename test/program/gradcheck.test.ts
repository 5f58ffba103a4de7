import { describe, expect, it } from "vitest";
import { defineOp } from "../../src/autograd/op.js";
import * as ops from "../../src/autograd/ops/index.js";
import { constant, type Tensor } from "../../src/autograd/tensor.js";
import { gradcheck } from "../../src/program/gradcheck.js";

const { add, mul, sub, sum, square, log, sqrt, sin, stopGradient, softmax, layerNorm } = ops;

/** An elementwise op whose gradient rule is as given. */
const withRule = (rule: (x: Tensor, dy: Tensor) => Tensor | undefined) => {
  const op = defineOp()({
    name: "doubtful",
    operands: { x: "needed" },
    results: { y: "always" },
    infer: ({ x }) => ({ y: x.shape }),
    gradient: ({ x }, { y: dy }) => ({ x: rule(x, dy) }),
    lowering: { kind: "elementwise", opcode: "copy" },
  });
  return (x: Tensor) => op({ x }).y;
};
const lost = withRule(() => undefined);
const off = (factor: number) => withRule((_, dy) => mul(dy, factor));
const nan = withRule((x, dy) =>
  mul(
    dy,
    constant(
      Float64Array.from({ length: x.size }, (_, i) => (i === 0 ? Number.NaN : 1)),
      x.shape,
    ),
  ),
);
const infinite = withRule((_, dy) => mul(dy, Number.POSITIVE_INFINITY));

describe("gradcheck", () => {
  it("fails on a NaN wherever it is, and on what is infinite", async () => {
    for (const f of [nan, (x: Tensor) => add(nan(x), mul(x, 1e6)), infinite]) {
      const result = await gradcheck(f, [[4]]);
      expect(result.ok).toBe(false);
      expect(Number.isFinite(result.error)).toBe(false);
    }
    expect(await gradcheck((a, b) => add(nan(a), b), [[3], [3]])).toMatchObject({
      ok: false,
      argument: 0,
      index: [0],
      wrong: 1,
    });
    // Outside of the domain both derivatives are NaN, or the numeric one alone.
    expect(await gradcheck(log, [[2]], { at: [[-1, 2]] })).toMatchObject({ ok: false });
    expect(await gradcheck(sqrt, [[2]], { at: [[0, 2]] })).toMatchObject({ ok: false, index: [0] });
  });

  it("fails on a lost gradient, however small all is, and however small it is beside others", async () => {
    const cases: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
      "all of 1e-10": (a, b) => mul(add(a, lost(b)), 1e-10),
      "all of 1e-200": (a, b) => mul(add(a, lost(b)), 1e-200),
      "1e-10 beside 1": (a, b) => add(a, mul(lost(b), 1e-10)),
      "1e-10 in a sum": (a, b) => sum(add(square(a), mul(lost(b), 1e-10))),
      "2 beside 1e7": (a, b) => add(mul(a, 1e7), mul(lost(b), 2)),
      "2 beside 1e7, another output": (a, b) => ops.concat([mul(a, 1e7), mul(lost(b), 2)], 0),
      "2 beside 1e7 in a sum": (a, b) => sum(add(mul(sin(a), 1e7), mul(lost(b), 2))),
      "1e-6 beside 1e7": (a, b) => add(mul(a, 1e7), mul(lost(b), 1e-6)),
      "one of many": (a, b) => sum(mul(a, add(b, stopGradient(b)))),
    };
    for (const [name, f] of Object.entries(cases)) {
      const result = await gradcheck(f, [[3], [3]]);
      expect(result, `${name}: ${JSON.stringify(result)}`).toMatchObject({ ok: false, argument: 1, wrong: 3, elements: 6 });
    }
  });

  it("fails on a gradient that is there and should not be, or is off by a little", async () => {
    expect(await gradcheck((x) => add(stopGradient(x), mul(sub(x, stopGradient(x)), 1)), [[2]])).toMatchObject({ ok: true });
    expect(await gradcheck((x) => sub(off(1e-9)(x), stopGradient(x)), [[2]])).toMatchObject({ ok: false });
    expect(await gradcheck(off(1 + 1e-5), [[2]])).toMatchObject({ ok: false });
    expect(await gradcheck(off(1 + 1e-5), [[2]], { relative: 1e-4 })).toMatchObject({ ok: true, relative: 1e-4 });
    expect(await gradcheck(off(1 + 1e-5), [[2]], { tolerance: 1e-4 })).toMatchObject({ ok: true, relative: 1e-4 });
    expect(await gradcheck(off(1 + 1e-5), [[2]], { absolute: 1e-4 })).toMatchObject({ ok: true, absolute: 1e-4 });
  });

  it("states element by element what was allowed, and what it could not tell", async () => {
    const fine = await gradcheck(
      (a, w) => softmax(ops.linear(a, w)),
      [
        [2, 3],
        [4, 3],
      ],
    );
    expect(fine).toMatchObject({ ok: true, relative: 1e-6, elements: 18, wrong: 0, order: 1 });
    expect(fine.allowed).toBe(fine.absolute + fine.relative * Math.abs(fine.numeric));
    expect(fine.error).toBe(Math.abs(fine.analytic - fine.numeric));
    // These are 0, and rounding is all that the differences see.
    for (const f of [(x: Tensor) => sum(softmax(x)), (x: Tensor) => sum(layerNorm(x))]) {
      const none = await gradcheck(f, [[3, 5]]);
      expect(none.ok).toBe(true);
      expect(none.unresolved).toBeGreaterThan(0);
      expect(none.absolute).toBeLessThan(1e-12);
      expect(await gradcheck(f, [[3, 5]], { absolute: 0 })).toMatchObject({ ok: false });
    }
  });

  it("tells at large and small arguments, beside bends and in noise", async () => {
    expect(await gradcheck(sin, [[4]], { at: [[1e6, 12345.678, -3e5, 1e-9]] })).toMatchObject({ ok: true });
    expect(await gradcheck(log, [[4]], { at: [[1e-5, 1e-3, 1, 1e5]] })).toMatchObject({ ok: true });
    expect(await gradcheck(ops.abs, [[3]], { at: [[3e-5, -1e-6, 2]] })).toMatchObject({ ok: true });
    expect(await gradcheck(softmax, [[6]], { at: [[1000, 990, 980, 1003, 1001, 960]] })).toMatchObject({ ok: true });
    // x - mean of what is far from 0: rounding within the function is larger than its values.
    expect(await gradcheck((x) => sum(sub(x, ops.mean(x))), [[5]], { at: [[1e6, 1e6, 2e6, 1e6, 3e6]] })).toMatchObject({
      ok: true,
    });
  });

  it("checks higher orders on demand, every one up to it", async () => {
    const flat = withRule((_, dy) => stopGradient(dy));
    const third = (x: Tensor) => mul(mul(x, x), x);
    expect(await gradcheck(third, [[3]], { order: 4 })).toMatchObject({ ok: true, elements: 12 });
    expect(await gradcheck((x) => mul(flat(square(x)), 1), [[3]])).toMatchObject({ ok: true });
    // The rule of the gradient is right, but the way back through it is cut.
    expect(await gradcheck((x) => square(flat(square(x))), [[3]], { order: 2 })).toMatchObject({ ok: false, order: 2 });
    expect(await gradcheck((x) => lost(square(x)), [[3]], { order: 2 })).toMatchObject({ ok: false, order: 1 });
    for (const f of [ops.gelu, ops.geluErf, ops.silu])
      expect(await gradcheck(f, [[9]], { order: 3 })).toMatchObject({ ok: true });
    const norm = (x: Tensor, w: Tensor, b: Tensor) => layerNorm(x, { weight: w, bias: b });
    expect(await gradcheck(norm, [[2, 4], [4], [4]], { order: 3 })).toMatchObject({ ok: true });
    expect(await gradcheck(softmax, [[2, 4]], { order: 3 })).toMatchObject({ ok: true });
  });

  it("refuses what it cannot check", async () => {
    await expect(gradcheck(() => constant(1), [])).rejects.toThrow("nothing to check");
    await expect(gradcheck(square, [[2]], { at: [[1]] })).rejects.toThrow("argument 0 has 2 elements, got 1");
    await expect(gradcheck(square, [[2]], { order: 0 })).rejects.toThrow("order must be a whole number from 1 on, got 0");
    await expect(gradcheck(square, [[2]], { step: 0 })).rejects.toThrow("step must be a number above 0");
    await expect(gradcheck(square, [[2]], { relative: Number.NaN })).rejects.toThrow(
      "relative must be a number from 0 on, got NaN",
    );
    await expect(gradcheck(square, [[2]], { atol: 1 } as object)).rejects.toThrow("there is no option atol");
  });
});
