import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import {
  argMax,
  type CrossEntropyOptions,
  crossEntropy,
  equal,
  mean,
  mul,
  oneHot,
  sum,
  toF32,
  transpose,
} from "../../src/autograd/ops/index.js";
import { constant, input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { gradcheck } from "../../src/program/gradcheck.js";
import { compile, read } from "../../src/program/program.js";

const devices: Device[] = [reference()];
beforeAll(async () => {
  devices.push(await wasm({ threads: 2 }));
});
afterAll(() => {
  for (const device of devices) device.close();
});

/** A value on every device. */
async function onAll(x: Tensor): Promise<ArrayLike<number>[]> {
  const values: ArrayLike<number>[] = [];
  for (const device of devices) values.push((await read(device, x)).data);
  return values;
}
const labels = (...numbers: number[]) => constant(Int32Array.from(numbers));

/** ln Σ eˣ - x_y, in the order of the definition. */
const loss = (row: number[], y: number) => Math.log(row.reduce((total, x) => total + Math.exp(x), 0)) - row[y];

describe("cross-entropy", () => {
  const rows = [
    [1, 2, 3],
    [0.5, -1, 0],
    [-2, 0, 4],
  ];
  const [a, b, c] = [loss(rows[0], 2), loss(rows[1], 0), loss(rows[2], 1)] as const;
  const smooth = (row: number[], y: number, part: number) =>
    (1 - part) * loss(row, y) + (part / 3) * [0, 1, 2].reduce((total, k) => total + loss(row, k), 0);

  it.each<[string, number[], CrossEntropyOptions, number[]]>([
    ["the mean over the rows", [2, 0, 1], {}, [(a + b + c) / 3]],
    ["their sum", [2, 0, 1], { reduction: "sum" }, [a + b + c]],
    ["each row's", [2, 0, 1], { reduction: "none" }, [a, b, c]],
    ["rows labelled -100 do not count", [2, -100, 1], {}, [(a + c) / 2]],
    ["nor do those of a label of one's own", [2, 0, 1], { ignoreIndex: 0 }, [(a + c) / 2]],
    ["an ignored row is 0", [2, -100, 1], { reduction: "none" }, [a, 0, c]],
    [
      "a part of the target is spread over all classes",
      [2, 0, 1],
      { labelSmoothing: 0.3, reduction: "sum" },
      [smooth(rows[0], 2, 0.3) + smooth(rows[1], 0, 0.3) + smooth(rows[2], 1, 0.3)],
    ],
    ["no row that counts", [-100, -100, -100], {}, [Number.NaN]],
  ])("%s", async (_, targets, options, want) => {
    for (const got of await onAll(crossEntropy(constant(rows), labels(...targets), options)))
      want.forEach((number, i) => {
        if (Number.isNaN(number)) expect(got[i]).toBeNaN();
        else expect(got[i]).toBeCloseTo(number, 5);
      });
  });

  it("takes probabilities, and says the same of certain ones", async () => {
    const certain = crossEntropy(constant(rows), oneHot(labels(2, 0, 1), 3));
    const likely = crossEntropy(constant([rows[0]]), constant([[0.2, 0.3, 0.5]]));
    for (const got of await onAll(certain)) expect(got[0]).toBeCloseTo((a + b + c) / 3, 5);
    const want = 0.2 * loss(rows[0], 0) + 0.3 * loss(rows[0], 1) + 0.5 * a;
    for (const got of await onAll(likely)) expect(got[0]).toBeCloseTo(want, 5);
  });

  it("takes one row without a batch, and more axes", async () => {
    for (const got of await onAll(crossEntropy(constant(rows[0]), constant(Int32Array.of(2), []))))
      expect(got[0]).toBeCloseTo(a, 5);
    const cube = crossEntropy(constant([rows, rows]), constant(Int32Array.of(2, 0, 1, 2, 0, 1), [2, 3]), { reduction: "none" });
    expect(cube.shape).toEqual([2, 3]);
    for (const got of await onAll(cube)) [a, b, c, a, b, c].forEach((number, i) => expect(got[i]).toBeCloseTo(number, 5));
  });

  it("stays finite for logits of any size, and in its gradient", async () => {
    const x = input([2, 3]);
    const y = crossEntropy(x, labels(0, 1), { reduction: "sum" });
    for (const device of devices) {
      const program = compile(device, { inputs: { x }, outputs: { y, dx: grad(y, [x])[0] } });
      const { y: value, dx } = await program.run({
        x: [
          [1e4, -1e4, 0],
          [3e30, -3e30, 0],
        ],
      });
      expect([...dx.data]).toEqual([0, 0, 0, 1, -1, 0]);
      expect(value.item() / 6e30).toBeCloseTo(1, 6);
      const barred = await program.run({
        x: [
          [1, -Infinity, 1],
          [-Infinity, 2, -Infinity],
        ],
      });
      expect(barred.y.item()).toBeCloseTo(Math.log(2), 6);
      [-0.5, 0, 0.5, 0, 0, 0].forEach((number, i) => expect(barred.dx.data[i]).toBeCloseTo(number, 6));
    }
  });

  it("a class that is barred and not expected costs nothing, in the gradient neither", async () => {
    const [x, p] = [input([3]), input([3])];
    const y = crossEntropy(x, p);
    const [dx, dp] = grad(y, [x, p]) as [Tensor, Tensor];
    for (const device of devices) {
      const program = compile(device, { inputs: { x, p }, outputs: { y, dx, dp } });
      const out = await program.run({ x: [1, -Infinity, 1], p: [0.5, 0, 0.5] });
      expect(out.y.item()).toBeCloseTo(Math.log(2), 6);
      [0, 0, 0].forEach((number, i) => expect(out.dx.data[i]).toBeCloseTo(number, 6));
      expect([...out.dp.data].every(Number.isFinite)).toBe(true);
      expect((await program.run({ x: [1, -Infinity, 1], p: [0.5, 0.25, 0.25] })).y.item()).toBe(Infinity);
    }
  });

  it("NaN in an ignored row harms neither the loss nor the gradient", async () => {
    const x = input([2, 2]);
    const y = crossEntropy(x, labels(-100, 1));
    for (const device of devices) {
      const program = compile(device, { inputs: { x }, outputs: { y, dx: grad(y, [x])[0] } });
      const out = await program.run({
        x: [
          [Number.NaN, Number.NaN],
          [0, 0],
        ],
      });
      expect(out.y.item()).toBeCloseTo(Math.log(2), 6);
      [0, 0, 0.5, -0.5].forEach((number, i) => expect(out.dx.data[i]).toBeCloseTo(number, 6));
    }
  });

  it("a label out of range is refused where it is known, and is not a loss where it comes with a run", async () => {
    expect(() => crossEntropy(constant(rows), labels(2, 3, 1))).toThrow("label 1 is 3");
    expect(() => crossEntropy(constant(rows), labels(2, -1, 1))).toThrow("from 0 to 2");
    const y = input([3], "i32");
    for (const device of devices) {
      const program = compile(device, { inputs: { y }, outputs: { loss: crossEntropy(constant(rows), y) } });
      for (const bad of [3, -1, -99, 2 ** 31 - 1]) expect((await program.run({ y: [2, bad, 1] })).loss.item()).toBeNaN();
      expect((await program.run({ y: [2, -100, 1] })).loss.item()).toBeCloseTo((a + c) / 2, 5);
    }
  });

  it("has second derivatives", async () => {
    const targets = labels(1, -100, 0);
    const slope = (x: Tensor) => grad(crossEntropy(x, targets, { labelSmoothing: 0.1 }), [x])[0];
    const weights = constant(normalNumbers(12, 1, 1), [3, 4]);
    expect(await gradcheck((x) => sum(mul(slope(x), weights)), [[3, 4]])).toMatchObject({ ok: true });
    const soft = (x: Tensor, p: Tensor) => sum(mul(grad(crossEntropy(x, p), [x])[0], weights));
    expect(
      await gradcheck(soft, [
        [3, 4],
        [3, 4],
      ]),
    ).toMatchObject({ ok: true });
  });

  it("says what its targets may be", () => {
    const x = input([4, 3]);
    expect(() => crossEntropy(x, input([4]))).toThrow("need labels i32 [4] or probabilities f32 [4, 3], got f32 [4]");
    expect(() => crossEntropy(x, input([3], "i32"))).toThrow("got i32 [3]");
    expect(() => crossEntropy(x, input([4, 3]), { ignoreIndex: 0 })).toThrow("ignoreIndex is for labels");
    expect(() => crossEntropy(x, input([4], "i32"), { labelSmoothing: 1.5 })).toThrow(
      "labelSmoothing must be a part from 0 to 1",
    );
  });
});

describe("places of largest elements", () => {
  it("are whole numbers: the first of equals, along any axis or of all", async () => {
    const x = constant([
      [1, 5, 5],
      [7, 2, 0],
    ]);
    for (const [y, want] of [
      [argMax(x, 1), [1, 0]],
      [argMax(x, -1), [1, 0]],
      [argMax(x, 0), [1, 0, 0]],
      [argMax(x), [3]],
    ] as const)
      for (const got of await onAll(y)) expect(got).toEqual(Int32Array.from(want));
    expect(argMax(x, 1, true).shape).toEqual([2, 1]);
    expect(argMax(x, undefined, true).shape).toEqual([1, 1]);
    expect(argMax(x).shape).toEqual([]);
  });

  it("count a NaN as the largest", async () => {
    for (const got of await onAll(argMax(constant([1, Number.NaN, Infinity, Number.NaN]))))
      expect([...(got as Int32Array)]).toEqual([1]);
  });

  it("give an accuracy", async () => {
    const guesses = argMax(
      constant([
        [1, 2],
        [3, 0],
        [0, 1],
      ]),
      -1,
    );
    for (const got of await onAll(mean(equal(toF32(guesses), toF32(labels(1, 0, 0)))))) expect(got[0]).toBeCloseTo(2 / 3, 6);
  });

  it("are not mistaken for f32, nor differentiated", () => {
    const x = input([2, 3]);
    expect(() => sum(argMax(x, 1))).toThrow("sum: operands must be f32");
    expect(() => equal(argMax(x, 1), 0)).toThrow("toF32 makes numbers of them");
    expect(() => grad(argMax(x), [x])).toThrow("whole numbers have no derivative");
  });
});

it("one-hot rows of labels out of range are zeros", async () => {
  for (const got of await onAll(oneHot(labels(2, -1, 0, 3), 3)))
    expect([...(got as Float32Array)]).toEqual([0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
  expect(() => oneHot(constant([1, 2]), 3)).toThrow("oneHot: labels must be i32");
  expect(() => oneHot(labels(1), 0)).toThrow("classes must be a whole number");
});

it("a search for numbers that are not finite is not misled by the bits of whole ones", async () => {
  const ids = input([2, 2], "i32");
  const program = compile(devices[1], { inputs: { ids }, outputs: { turned: transpose(ids), y: oneHot(ids, 3) } });
  // The bits of -1 are those of a NaN.
  expect(await program.findNonFinite({ ids: Int32Array.of(-1, -100, 0, 2) })).toBeUndefined();
  expect((await program.run({ ids: [-1, -100, 0, 2] })).turned.data).toEqual(Int32Array.of(-1, 0, -100, 2));
});
