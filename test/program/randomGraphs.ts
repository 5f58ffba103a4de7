/** Random graphs, each with what it should compute, by loops of its own over arrays. */
import fc from "fast-check";
import * as ops from "../../src/autograd/ops/index.js";
import { constant, input, isParameter, parameter, type Tensor } from "../../src/autograd/tensor.js";
import { broadcastShapes, broadcastStrides, type Shape, sizeOf, stridesOf } from "../../src/base/shape.js";
import { sourceOf } from "../../src/program/sources.js";

/** A tensor and its numbers. */
interface Known {
  readonly tensor: Tensor;
  readonly data: Float64Array;
}

export interface RandomGraph {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly feed: Readonly<Record<string, Float64Array>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Parameters, their numbers before a run, and their values. */
  readonly updates: readonly (readonly [parameter: Tensor, value: Tensor])[];
  readonly expected: { readonly outputs: Readonly<Record<string, Float64Array>>; readonly updates: readonly Float64Array[] };
}

/** Calls `visit` with the place of every element of `domain` in tensors of these shapes. */
function each(domain: Shape, shapes: readonly Shape[], visit: (at: number, places: readonly number[]) => void): void {
  const strides = shapes.map((shape) => broadcastStrides(shape, domain));
  const own = stridesOf(domain);
  for (let at = 0; at < sizeOf(domain); at++) {
    const indices = domain.map((size, axis) => Math.floor(at / own[axis]) % size);
    visit(
      at,
      strides.map((row) => row.reduce((sum, stride, axis) => sum + stride * indices[axis], 0)),
    );
  }
}

const unary = {
  neg: (a: number) => -a,
  square: (a: number) => a * a,
  tanh: Math.tanh,
  abs: Math.abs,
} as const;
const binary = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  maximum: Math.max,
} as const;
const shapes: readonly Shape[] = [[], [3], [1, 3], [2, 1], [2, 3], [4, 2, 3], [4, 1, 1], [4, 2, 1]];

/** Two tensors' elements behind each other. */
const joined = (a: Known, b: Known): Tensor => ops.concat([ops.reshape(a.tensor, [-1]), ops.reshape(b.tensor, [-1])], 0);

/** Builds a graph from a tape of choices; the same tape gives the same graph, so that it can be made smaller. */
function build(tape: readonly number[]): RandomGraph {
  let at = 0;
  const choose = (count: number): number => tape[at++ % tape.length] % count;
  const numbers = (size: number): Float64Array =>
    Float64Array.from({ length: size }, (_, i) => ((tape[at % tape.length] + 7 * i) % 17) / 8 - 1);
  const inputs: Record<string, Tensor> = {};
  const feed: Record<string, Float64Array> = {};
  const parameters: Known[] = [];
  const known: Known[] = [];
  const leaf = (): void => {
    const shape = shapes[choose(shapes.length)];
    const data = numbers(sizeOf(shape));
    const kind = choose(3);
    if (kind === 0) known.push({ tensor: constant(data, shape), data });
    else if (kind === 1) {
      const tensor = parameter(shape, Float64Array.from(data));
      parameters.push({ tensor, data });
      known.push({ tensor, data });
    } else {
      const name = `x${Object.keys(inputs).length}`;
      inputs[name] = input(shape);
      feed[name] = data;
      known.push({ tensor: inputs[name], data });
    }
  };
  const pick = (): Known => known[choose(known.length)];
  const names = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[];

  /** One more op. Values stay of moderate size: tanh closes what grows. */
  const step = (): void => {
    const x = pick();
    const { shape } = x.tensor;
    const kind = choose(9);
    if (kind <= 1) {
      const name = names(unary)[choose(4)];
      known.push({ tensor: ops[name](x.tensor), data: x.data.map(unary[name]) });
    } else if (kind <= 4) {
      const y = pick();
      let domain: number[];
      try {
        domain = broadcastShapes([shape, y.tensor.shape], "test");
      } catch {
        return;
      }
      const name = names(binary)[choose(4)];
      const data = new Float64Array(sizeOf(domain));
      each(domain, [shape, y.tensor.shape], (i, [a, b]) => {
        data[i] = binary[name](x.data[a], y.data[b]);
      });
      known.push({ tensor: ops.tanh(ops[name](x.tensor, y.tensor)), data: data.map(Math.tanh) });
    } else if (kind === 5 && shape.length > 0) {
      const axis = choose(shape.length);
      const reduced = shape.map((size, i) => (i === axis ? 1 : size));
      const data = new Float64Array(sizeOf(reduced));
      each(shape, [reduced], (i, [to]) => {
        data[to] += x.data[i];
      });
      known.push({ tensor: ops.sum(x.tensor, axis, true), data });
    } else if (kind === 6 && shape.length > 1) {
      const order = shape.map((_, i) => shape.length - 1 - i);
      const turned = order.map((axis) => shape[axis]);
      const data = new Float64Array(x.data.length);
      const strides = stridesOf(shape);
      each(turned, [turned], (i) => {
        const own = stridesOf(turned);
        const from = turned.reduce((sum, size, axis) => sum + (Math.floor(i / own[axis]) % size) * strides[order[axis]], 0);
        data[i] = x.data[from]!;
      });
      known.push({ tensor: ops.transpose(x.tensor, order), data });
    } else if (kind === 7 && shape.length > 0 && shape[0] > 1) {
      const inner = x.data.length / shape[0];
      const tensor = ops.reshape(ops.slice(x.tensor, 0, 1, shape[0]), [-1]);
      known.push({ tensor, data: x.data.slice(inner) });
    } else if (kind === 8) {
      const y = pick();
      known.push({ tensor: joined(x, y), data: Float64Array.of(...x.data, ...y.data) });
    }
  };

  for (let i = 0; i < 4; i++) leaf();
  for (let i = 0; i < 6 + choose(20); i++) step();
  // A parameter, or a view of one, is read after the updates.
  const isOwnValue = ({ tensor }: Known) => !isParameter(sourceOf(tensor));
  const chosen = known.filter((own, i) => isOwnValue(own) && (i >= known.length - 3 || choose(5) === 0));
  const outputs = Object.fromEntries(chosen.map(({ tensor }, i) => [`y${i}`, tensor]));
  // Two parameters take the halves of one value, which may read both, side by side or not.
  const pairs: { tensor: Tensor; value: Tensor; data: Float64Array }[] = [];
  const [first, second] = parameters;
  if (second && choose(2) === 0) {
    const [own, more] = [Float64Array.of(...first.data, ...second.data), pick()];
    const whole = ops.tanh(ops.add(joined(first, second), ops.sum(more.tensor)));
    const data = own.map((x) => Math.tanh(x + more.data.reduce((sum, y) => sum + y, 0)));
    const { size } = first.tensor;
    const halves = [ops.slice(whole, 0, 0, size), ops.slice(whole, 0, size, whole.size)];
    [first, second].forEach(({ tensor }, i) =>
      pairs.push({
        tensor,
        value: ops.reshape(halves[i], tensor.shape),
        data: i === 0 ? data.slice(0, size) : data.slice(size),
      }),
    );
  }
  // Every other parameter takes the value of something of its size; two never take each other's memory.
  const updates = parameters.flatMap(({ tensor }, i) => {
    const value = known.find((other) => other.tensor.size === tensor.size && other.tensor.node.inputs.length > 0);
    return value && i % 2 === 0 && (i > 1 || pairs.length === 0) ? [{ tensor, value }] : [];
  });
  return {
    inputs,
    feed,
    outputs,
    updates: [
      ...pairs.map(({ tensor, value }) => [tensor, value] as const),
      ...updates.map(({ tensor, value }) => [tensor, ops.mul(value.tensor, 1)] as const),
    ],
    expected: {
      outputs: Object.fromEntries(chosen.map(({ data }, i) => [`y${i}`, data])),
      updates: [...pairs.map(({ data }) => data), ...updates.map(({ value }) => value.data)],
    },
  };
}

/** Tapes, and the graphs they spell. */
export const randomGraph: fc.Arbitrary<RandomGraph> = fc
  .array(fc.nat(1000), { minLength: 8, maxLength: 80 })
  .map((tape) => Object.assign(build(tape), { [fc.toStringMethod]: () => `graph of the tape [${tape}]` }));
