import { afterAll, describe, expect, it } from "vitest";
import { customGradient, customOps } from "../../src/autograd/customGradient.js";
import { grad } from "../../src/autograd/grad.js";
import { defineOp } from "../../src/autograd/op.js";
import { exp, floor, linear, mul, neg, sin, square, sum } from "../../src/autograd/ops/index.js";
import { checkpoint, constant, input, parameter, type Tensor } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { gradcheck } from "../../src/program/gradcheck.js";
import { hoist } from "../../src/program/hoist.js";
import { compile } from "../../src/program/program.js";
import { scaledProduct, softplus } from "./customOps.js";

const device = reference();
afterAll(() => device.close());

async function valuesOf(
  outputs: Record<string, Tensor>,
  x: Tensor,
  data: number[],
  on = device as Parameters<typeof compile>[0],
) {
  const program = compile(on, { inputs: { x }, outputs });
  const result = await program.run({ x: data });
  program.dispose();
  return Object.fromEntries(Object.entries(result).map(([name, { data }]) => [name, [...data]]));
}

describe("an op with a gradient of its own", () => {
  it("uses it in place of the chain rule", async () => {
    const x = input([3]);
    const y = softplus(x);
    const [dx] = grad(sum(y), [x]) as [Tensor];
    const values = await valuesOf({ dx }, x, [0, 800, -800]);
    expect(values.dx).toEqual([0.5, 1, 0]); // the chain rule has ∞/∞ in the middle
  });

  it("may have another one than the derivative: straight through a step, or backwards", async () => {
    const x = input([3]);
    const straight = customGradient({ name: "round", forward: (v: Tensor) => floor(v), gradient: ({ dy }) => [dy] });
    const reversed = customGradient({ name: "reversed", forward: (v: Tensor) => v, gradient: ({ dy }) => [neg(dy)] });
    const [a] = grad(sum(square(straight(x))), [x]) as [Tensor];
    const [b] = grad(sum(square(reversed(x))), [x]) as [Tensor];
    expect(await valuesOf({ a, b, y: reversed(x) }, x, [1.5, -0.5, 2])).toEqual({
      a: [2, -2, 4],
      b: [-3, 1, -4],
      y: [1.5, -0.5, 2],
    });
  });

  it("has the derivatives of its gradient's ops, of any order", async () => {
    expect(await gradcheck((x) => sum(mul(grad(sum(softplus(x)), [x])[0], x)), [[4]])).toMatchObject({ ok: true });
    const third = (x: Tensor) => {
      const first = grad(sum(softplus(x)), [x])[0];
      return grad(sum(square(first)), [x])[0];
    };
    expect(await gradcheck(third, [[4]])).toMatchObject({ ok: true });
    const second = (a: Tensor, b: Tensor) => {
      const [da, db] = grad(sum(square(scaledProduct(a, b))), [a, b]) as [Tensor, Tensor];
      return sum(mul(sum(square(da)), sum(square(db))));
    };
    expect(
      await gradcheck(second, [
        [2, 3],
        [3, 2],
      ]),
    ).toMatchObject({ ok: true });
  });

  it("whose gradient is made of an op without one throws instead of giving zero", () => {
    const x = input([3]);
    const opaque = defineOp()({
      name: "opaque",
      operands: { v: "needed" },
      results: { y: "always" },
      infer: ({ v }) => ({ y: v.shape }),
      lowering: { kind: "elementwise", opcode: "copy" },
    });
    const own = customGradient({
      name: "own",
      forward: (v: Tensor) => sin(v),
      gradient: ({ inputs: [v], dy }) => [mul(dy, opaque({ v }).y)],
    });
    const [dx] = grad(sum(own(x)), [x]) as [Tensor];
    expect(() => grad(sum(dx), [x])).toThrow("grad: opaque has no gradient (in own)");
  });

  it("works on WASM, in a checkpointed segment, and where what does not vary is computed once", async () => {
    const own = await wasm({ threads: 2 });
    const x = input([3]);
    const [plain] = grad(sum(square(softplus(mul(x, 2)))), [x]) as [Tensor];
    const [again] = grad(sum(square(checkpoint(() => softplus(mul(x, 2))))), [x]) as [Tensor];
    const { plain: want, again: got } = await valuesOf({ plain, again }, x, [1, -1, 0.5], own);
    expect(got).toEqual(want);
    const exact = await valuesOf({ plain }, x, [1, -1, 0.5]);
    exact.plain.forEach((value, i) => {
      expect(want[i]).toBeCloseTo(value, 5);
    });

    const [weight, condition, u] = [parameter([2, 3], [1, 2, 3, 4, 5, 6]), input([4, 3]), input([4, 2])];
    const y = mul(softplus(linear(condition, weight)), u);
    const { outputs, held } = hoist([y], [u], own.target);
    expect(held).toHaveLength(1);
    const feed = {
      condition: Float32Array.from({ length: 12 }, (_, i) => i / 10),
      u: Float32Array.from({ length: 8 }, (_, i) => i),
    };
    await compile(own, { inputs: { condition }, updates: held }).run({ condition: feed.condition });
    const step = await compile(own, { inputs: { u }, outputs: { y: outputs[0] } }).run({ u: feed.u });
    const whole = await compile(own, { inputs: { condition, u }, outputs: { y } }).run(feed);
    expect(step.y.data).toEqual(whole.y.data);
    own.close();
  });

  it("computes what only its gradient needs only where there is one", () => {
    const x = input([4]);
    const heavy = customGradient({
      name: "heavy",
      forward: (v: Tensor) => [square(v), linear(constant([[1, 2, 3, 4]]), constant([[1, 2, 3, 4]])), sum(exp(v))],
      gradient: ({ inputs: [v], kept, dy }) => [mul(mul(dy, v), kept[1])],
    });
    const y = heavy(x);
    const kernels = (outputs: Record<string, Tensor>) =>
      compile(device, { inputs: { x }, outputs }).steps.map(({ kernel }) => kernel);
    expect(kernels({ y })).toEqual(["fused"]);
    expect(kernels({ dx: grad(sum(y), [x])[0] })).toContain("reduce");
  });

  it("is checked: what it may read, return and be called", () => {
    const [x, w] = [input([3]), parameter([3])];
    const define = (forward: (v: Tensor) => Tensor, gradient: (context: { dy: Tensor }) => (Tensor | undefined)[]) =>
      customGradient({ name: "own", forward, gradient });
    expect(() =>
      define(
        (v) => mul(v, w),
        ({ dy }) => [dy],
      )(x),
    ).toThrow(/own: forward reads parameter .* not among its arguments/);
    expect(() =>
      define(
        (v) => mul(v, square(input([3]))),
        ({ dy }) => [dy],
      )(x),
    ).toThrow(/own: forward reads input/);
    expect(() =>
      define(
        () => 3 as unknown as Tensor,
        ({ dy }) => [dy],
      )(x),
    ).toThrow("what forward returns must be a tensor, got 3");
    const slope = (gradient: (context: { dy: Tensor }) => (Tensor | undefined)[]) => () =>
      grad(sum(define((v) => exp(v), gradient)(x)), [x]);
    expect(slope(() => [])).toThrow("one entry for each of 1 arguments, got 0");
    expect(slope(({ dy }) => [sum(dy)])).toThrow("of its shape [3]; sumTo undoes a broadcast; got []");
    expect(slope(() => [5 as unknown as Tensor])).toThrow("the gradient of argument 0 must be a tensor, got 5");
    expect(() =>
      define(
        (v) => v,
        ({ dy }) => [dy],
      )("x" as unknown as Tensor),
    ).toThrow('argument 0 must be a tensor, got "x"');
    const rules = { name: "own", forward: (v: Tensor) => v, gradient: ({ dy }: { dy: Tensor }) => [dy] };
    expect(() => customGradient({ ...rules, backward: 1 } as never)).toThrow('unknown option "backward"');
    expect(() => customGradient({ name: "own" } as never)).toThrow("forward is missing");
  });

  it("takes whole numbers, which have no gradient", async () => {
    const x = input([3]);
    const pick = customGradient({
      name: "pick",
      forward: (v: Tensor, _ids: Tensor) => square(v),
      gradient: ({ inputs: [v], dy }) => [mul(dy, mul(v, 2)), undefined],
    });
    const [dx] = grad(sum(pick(x, constant(Int32Array.of(0, 1)))), [x]) as [Tensor];
    expect((await valuesOf({ dx }, x, [1, 2, 3])).dx).toEqual([2, 4, 6]);
  });
});

it("ops with examples are listed for tests; of two of a name the later counts", () => {
  expect(customOps().map(({ name }) => name)).toEqual(expect.arrayContaining(["softplus", "scaledProduct"]));
  expect(customOps().map(({ name }) => name)).not.toContain("round");
});

it("a wrong gradient is found by its own examples", async () => {
  const wrong = customGradient({
    name: "wrong",
    forward: (x: Tensor) => square(x),
    gradient: ({ inputs: [x], dy }) => [mul(dy, x)],
    examples: [{ shapes: [[3]] }],
  });
  const listed = customOps().find(({ name }) => name === "wrong")!;
  expect(await gradcheck(listed.op, listed.examples[0].shapes)).toMatchObject({ ok: false });
  expect(await gradcheck(wrong, [[3]])).toMatchObject({ ok: false });
});
