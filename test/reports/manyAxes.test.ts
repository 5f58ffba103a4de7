import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import {
  add,
  attention,
  broadcastTo,
  concat,
  max,
  mul,
  pad,
  slice,
  sub,
  sum,
  transpose,
  where,
} from "../../src/autograd/ops/index.js";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { uniformNumbers } from "../../src/base/random.js";
import { broadcastStrides, type Shape, sizeOf, stridesOf } from "../../src/base/shape.js";
import { evaluate, everyDevice } from "./evaluate.js";

/** Small whole numbers, so that sums are exact. */
const whole = (shape: Shape, stream: number) => uniformNumbers(sizeOf(shape), 1, stream).map((x) => Math.floor(9 * x) - 4);
/** Without the sign of zeros. */
const unsigned = (values: ArrayLike<number>) => Array.from(values, (x) => x + 0);
/** Element i of a domain as indices, and as an element of a tensor that is broadcast over it. */
const indices = (i: number, shape: Shape) => stridesOf(shape).map((stride, axis) => Math.floor(i / stride) % shape[axis]);
const at = (i: number, shape: Shape, domain: Shape) => {
  const strides = broadcastStrides(shape, domain);
  return indices(i, domain).reduce((total, index, axis) => total + index * strides[axis], 0);
};

/** @source https://github.com/tensorflow/tensorflow/issues/1519 and https://github.com/tensorflow/tensorflow/issues/17762 */
describe("tensors of many axes", () => {
  let devices: Device[];
  beforeAll(async () => {
    devices = await everyDevice();
  });
  afterAll(() => devices.forEach((device) => device.close()));

  const patterns: [Shape, Shape][] = [
    [
      [2, 1, 2, 1, 2, 1, 2, 1],
      [1, 2, 1, 2, 1, 2, 1, 2],
    ],
    [
      [1, 2, 1, 2, 1, 2, 1, 2],
      [2, 2, 3, 1, 3, 2, 3, 1],
    ],
    [
      [3, 1, 1, 2, 2, 1, 1, 1, 2, 1],
      [1, 2, 2, 1, 2, 1, 3, 1, 1, 2],
    ],
    [
      [2, 1, 3, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2],
      [1, 2, 1, 1, 2, 2, 1, 2, 1],
    ],
  ];
  for (const [a, b] of patterns) {
    it(`are added, multiplied and chosen from: [${a}] and [${b}]`, async () => {
      const domain = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
        const own = (shape: Shape) => shape[shape.length - Math.max(a.length, b.length) + i] ?? 1;
        return Math.max(own(a), own(b));
      });
      const [x, y] = [whole(a, 1), whole(b, 2)];
      const each = <T>(f: (p: number, q: number) => T) =>
        Array.from({ length: sizeOf(domain) }, (_, i) => f(x[at(i, a, domain)], y[at(i, b, domain)]));
      const f = (p: Tensor, q: Tensor) => [
        add(p, q),
        where(p, mul(p, q), sub(q, 1)),
        broadcastTo(p, domain),
        sum(add(mul(p, q), q)),
        sum(mul(add(p, q), q), 0),
        ...grad(sum(mul(mul(p, q), add(p, q))), [p, q]),
      ];
      for (const device of devices) {
        const [added, chosen, spread, total, overFirst, dp, dq] = await evaluate(device, f, [a, x], [b, y]);
        expect(added).toEqual(each((p, q) => p + q));
        expect(unsigned(chosen)).toEqual(unsigned(each((p, q) => (p !== 0 ? p * q : q - 1))));
        expect(spread).toEqual(each((p) => p));
        expect(total[0]).toBe(each((p, q) => p * q + q).reduce((s, own) => s + own));
        const products = each((p, q) => (p + q) * q);
        const inner = products.length / domain[0];
        expect(unsigned(overFirst)).toEqual(
          unsigned(
            Array.from({ length: inner }, (_, i) =>
              Array.from({ length: domain[0] }, (_, k) => products[k * inner + i]).reduce((s, own) => s + own),
            ),
          ),
        );
        const [wantP, wantQ] = [new Float64Array(x.length), new Float64Array(y.length)];
        for (let i = 0; i < sizeOf(domain); i++) {
          const [j, k] = [at(i, a, domain), at(i, b, domain)];
          wantP[j] += 2 * x[j] * y[k] + y[k] ** 2;
          wantQ[k] += 2 * x[j] * y[k] + x[j] ** 2;
        }
        expect([unsigned(dp), unsigned(dq)]).toEqual([unsigned(wantP), unsigned(wantQ)]);
      }
    });
  }

  for (const [shape, order] of [
    [
      [2, 3, 2, 3, 2, 3, 2, 3],
      [7, 5, 3, 1, 6, 4, 2, 0],
    ],
    [
      [2, 3, 2, 2, 3, 2, 2, 2, 3],
      [8, 0, 7, 1, 6, 2, 5, 3, 4],
    ],
    [
      [2, 1, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2],
      [11, 9, 7, 5, 3, 1, 0, 2, 4, 6, 8, 10],
    ],
  ] as const) {
    it(`are transposed: [${shape}] by [${order}]`, async () => {
      const x = whole(shape, 3);
      const domain = order.map((axis) => shape[axis]!);
      const own = stridesOf(shape);
      const want = Array.from(
        { length: x.length },
        (_, i) => x[indices(i, domain).reduce((t, index, axis) => t + index * own[order[axis]], 0)],
      );
      const weights = whole(domain, 4);
      for (const device of devices) {
        const f = (t: Tensor, w: Tensor) => [transpose(t, order), ...grad(sum(mul(transpose(t, order), w)), [t])];
        const [y, dx] = await evaluate(device, f, [shape, x], [domain, weights]);
        expect(y).toEqual(want);
        const back = new Array<number>(x.length);
        weights.forEach((w, i) => {
          back[indices(i, domain).reduce((t, index, axis) => t + index * own[order[axis]], 0)] = w;
        });
        expect(dx).toEqual(back);
      }
    });
  }

  it("are reduced over any of their axes, sliced, padded and joined", async () => {
    const shape = [2, 3, 2, 3, 2, 3, 2, 3];
    const x = whole(shape, 5);
    for (const axes of [
      [0, 2, 4, 6],
      [1, 3, 5, 7],
      [0, 3, 5],
      [1, 2, 4, 7],
    ]) {
      const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const [sums, largest] = [new Float64Array(sizeOf(kept)), new Float64Array(sizeOf(kept)).fill(Number.NEGATIVE_INFINITY)];
      x.forEach((value, i) => {
        const k = at(i, kept, shape);
        sums[k] += value;
        largest[k] = Math.max(largest[k], value);
      });
      for (const device of devices) {
        const [s, m, back] = await evaluate(
          device,
          (t) => [sum(t, axes), max(t, axes, true), ...grad(sum(mul(sum(t, axes, true), t)), [t])],
          [shape, x],
        );
        expect(unsigned(s)).toEqual(unsigned(sums));
        expect(m).toEqual([...largest]);
        expect(unsigned(back)).toEqual(unsigned([...x].map((_, i) => 2 * sums[at(i, kept, shape)])));
      }
    }
    for (const device of devices) {
      const [same] = await evaluate(
        device,
        (t) => slice(pad(concat([slice(t, 4, 0, 1), slice(t, 4, 1, 2)], 4), 3, 2, 1), 3, 2, 5),
        [shape, x],
      );
      expect(same).toEqual([...x]);
    }
  });

  it("in any shape that broadcasts run, with any number of axes", async () => {
    const draws = uniformNumbers(4000, 9, 9);
    let next = 0;
    const draw = (n: number) => Math.floor(n * draws[next++ % draws.length]);
    for (let trial = 0; trial < 25; trial++) {
      const domain = Array.from({ length: 5 + draw(6) }, () => 1 + draw(3));
      const shapes = [0, 1, 2].map(() => domain.map((size) => (draw(2) === 0 ? 1 : size)).slice(draw(3)));
      const numbers = shapes.map((shape, i) => whole(shape, 100 * trial + i));
      const axes = domain.flatMap((_, axis) => (draw(2) === 0 ? [axis] : []));
      const f = (...t: Tensor[]) => {
        const [p, q, r] = t as [Tensor, Tensor, Tensor];
        return [sum(broadcastTo(where(p, add(q, r), mul(q, r)), domain), axes)];
      };
      const kept = domain.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const want = new Float64Array(sizeOf(kept));
      for (let i = 0; i < sizeOf(domain); i++) {
        const [p, q, r] = shapes.map((shape, k) => numbers[k][at(i, shape, domain)]) as [number, number, number];
        want[at(i, kept, domain)] += p !== 0 ? q + r : q * r;
      }
      for (const device of devices.slice(0, 2)) {
        const [got] = await evaluate(device, f, ...shapes.map((shape, i) => [shape, numbers[i]] as const));
        expect(unsigned(got), `${JSON.stringify(shapes)} over ${axes}`).toEqual(unsigned(want));
      }
    }
  });

  it("are refused with their own cure where no kernel is made for them: heads of an attention above 256 numbers", () => {
    const [q, k] = [input([1, 4, 600]), input([1, 600, 600])];
    expect(() => attention(q, k, k, 2)).toThrow("a head has at most 256 numbers, got 300: width 600 needs 3 heads or more");
  });
});
