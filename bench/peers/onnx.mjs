/** ONNX models, written byte by byte: a graph that records ops, and the protocol buffers it is saved as.
 *  @source onnx.proto (message fields); Protocol Buffers encoding */

const varint = (value) => {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
};
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
const integer = (field, value) => joined([varint(field << 3), varint(value)]);
const bytes = (field, content) => joined([varint((field << 3) | 2), varint(content.length), content]);
const text = (field, content) => bytes(field, new TextEncoder().encode(content));
const float = (field, value) => joined([varint((field << 3) | 5), new Uint8Array(Float32Array.of(value).buffer)]);

const [float32, int64] = [1, 7];
const [floatAttribute, intAttribute, stringAttribute, intsAttribute] = [1, 2, 3, 7];

function attribute(name, value) {
  if (Array.isArray(value)) {
    return joined([text(1, name), ...value.map((n) => integer(8, n)), integer(20, intsAttribute)]);
  }
  if (typeof value === "string") return joined([text(1, name), text(4, value), integer(20, stringAttribute)]);
  if (Number.isInteger(value)) return joined([text(1, name), integer(3, value), integer(20, intAttribute)]);
  return joined([text(1, name), float(2, value), integer(20, floatAttribute)]);
}

function valueInfo({ name, shape }) {
  const dimensions = joined(shape.map((n) => bytes(1, integer(1, n))));
  return joined([text(1, name), bytes(2, bytes(1, joined([integer(1, float32), bytes(2, dimensions)])))]);
}

const count = (shape) => shape.reduce((product, n) => product * n, 1);
const broadcast = (a, b) => {
  const rank = Math.max(a.length, b.length);
  const at = (shape, i) => shape[i - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, i) => Math.max(at(a, i), at(b, i)));
};

/** Records ops; a tensor is { name, shape }. */
export class Graph {
  #nodes = [];
  #initializers = [];
  #inputs = [];
  #names = 0;

  input(name, shape) {
    const tensor = { name, shape };
    this.#inputs.push(bytes(11, valueInfo(tensor)));
    return tensor;
  }

  constant(data, shape) {
    const tensor = { name: `c${this.#names++}`, shape };
    const type = data instanceof BigInt64Array ? int64 : float32;
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const dimensions = shape.map((n) => integer(1, n));
    this.#initializers.push(bytes(5, joined([...dimensions, integer(2, type), text(8, tensor.name), bytes(9, raw)])));
    return tensor;
  }

  #integers(list) {
    return this.constant(BigInt64Array.from(list, BigInt), [list.length]);
  }

  op(type, inputs, shape, attributes = {}) {
    const tensor = { name: `t${this.#names++}`, shape };
    const own = Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value)));
    const operands = inputs.map(({ name }) => text(1, name));
    this.#nodes.push(bytes(1, joined([...operands, text(2, tensor.name), text(4, type), ...own])));
    return tensor;
  }

  /** The ops of `model.mjs`. */
  get ops() {
    const scalar = (s) => this.constant(Float32Array.of(s), [1]);
    const binary = (type) => (a, b) => this.op(type, [a, b], broadcast(a.shape, b.shape));
    const unary = (type, attributes) => (x) => this.op(type, [x], x.shape, attributes);
    const [add, mul] = [binary("Add"), binary("Mul")];
    const swapped = (shape) => [...shape.slice(0, -2), shape.at(-1), shape.at(-2)];
    const transpose = (x, perm) =>
      this.op(
        "Transpose",
        [x],
        perm.map((axis) => x.shape[axis]),
        { perm },
      );
    const matmul = (a, b) => this.op("MatMul", [a, b], [...a.shape.slice(0, -1), b.shape.at(-1)]);
    const reshape = (x, wanted) => {
      const shape = wanted.map((n) => (n === -1 ? count(x.shape) / -count(wanted) : n));
      return this.op("Reshape", [x, this.#integers(shape)], shape);
    };
    return {
      add,
      sub: binary("Sub"),
      mul,
      scaled: (x, s) => mul(x, scalar(s)),
      shifted: (x, s) => add(x, scalar(s)),
      reshape,
      transpose,
      matmul,
      matmulNT: (a, b) => matmul(a, transpose(b, swapped([...b.shape.keys()]))),
      linear: (x, weight, bias) => this.op("Gemm", [x, weight, bias], [x.shape[0], weight.shape[0]], { transB: 1 }),
      softmax: unary("Softmax", { axis: -1 }),
      norm: (x) => {
        const ones = this.constant(new Float32Array(x.shape.at(-1)).fill(1), [x.shape.at(-1)]);
        return this.op("LayerNormalization", [x, ones], x.shape, { axis: -1, epsilon: 1e-6 });
      },
      gelu: unary("Gelu", { approximate: "tanh" }),
      silu: (x) => mul(x, unary("Sigmoid")(x)),
      mean: (x, axis) => {
        const shape = x.shape.filter((_, i) => i !== axis);
        return this.op("ReduceMean", [x, this.#integers([axis])], shape, { keepdims: 0 });
      },
      slice: (x, axis, from, to) => {
        const shape = x.shape.map((n, i) => (i === axis ? to - from : n));
        return this.op("Slice", [x, this.#integers([from]), this.#integers([to]), this.#integers([axis])], shape);
      },
      concat: (list, axis) => {
        const along = list.reduce((sum, { shape }) => sum + shape[axis], 0);
        const shape = list[0].shape.map((n, i) => (i === axis ? along : n));
        return this.op("Concat", list, shape, { axis });
      },
    };
  }

  /** The model's file, with one output. */
  model(output) {
    const graph = [...this.#nodes, text(2, "graph"), ...this.#initializers, ...this.#inputs, bytes(12, valueInfo(output))];
    const opset = bytes(8, joined([text(1, ""), integer(2, 20)]));
    return joined([integer(1, 9), opset, bytes(7, joined(graph))]);
  }
}
