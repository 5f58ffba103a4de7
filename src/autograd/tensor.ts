import type { HostArray } from "../backend/host.js";
import { ShapeError } from "../base/errors.js";
import { checkShape, type Shape, showShape, sizeOf } from "../base/shape.js";
import type { Op } from "./op.js";

/** `f32` numbers (float64 on the reference device); `i32` whole numbers: indices, labels, token ids. */
export type DType = "f32" | "i32";

/** Numbers on the host. */
export type { HostArray };

/** One application of an op in the recorded graph. */
export interface Node {
  /** Grows in the order of recording, so that it is also a valid order of execution. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attributes: unknown;
  readonly outputs: readonly Tensor[];
  /** Dotted path of the module that recorded it, e.g. `blocks.3.giim.proxyAttention`. */
  readonly scope: string;
  /** Checkpointed segment it belongs to; 0 for none. */
  readonly segment: number;
}

/** An immutable value of the graph: shape and type, no data. */
export class Tensor {
  constructor(
    readonly node: Node,
    /** Which of the node's outputs it is. */
    readonly index: number,
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}

  get size(): number {
    return sizeOf(this.shape);
  }

  toString(): string {
    const { op, scope } = this.node;
    return `${op.name} ${this.dtype} ${showShape(this.shape)}${scope ? ` in ${scope}` : ""}`;
  }
}

let nextId = 1;
let scopePath = "";
let segment = 0;
let nextSegment = 1;

/** Records a node; its outputs' shapes come from the op's rule. */
export function record(op: Op, inputs: readonly Tensor[], attributes: unknown): readonly Tensor[] {
  const outputs: Tensor[] = [];
  const node: Node = { id: nextId++, op, inputs, attributes, outputs, scope: scopePath, segment };
  for (const [index, { shape, dtype }] of op.infer(inputs, attributes).entries()) {
    checkShape(shape, op.name);
    outputs.push(new Tensor(node, index, shape, dtype ?? "f32"));
  }
  return outputs;
}

/** Runs `body` with `name` appended to the scope that recorded nodes carry. */
export function scope<T>(name: string, body: () => T): T {
  const outer = scopePath;
  scopePath = outer ? `${outer}.${name}` : name;
  try {
    return body();
  } finally {
    scopePath = outer;
  }
}

/** The scope that recorded nodes carry now. */
export const currentScope = (): string => scopePath;

/** Runs `body` with exactly this scope. */
export function withScope<T>(path: string, body: () => T): T {
  const outer = scopePath;
  scopePath = path;
  try {
    return body();
  } finally {
    scopePath = outer;
  }
}

/**
 * Gradient checkpointing: what `body` records is not kept for the backward pass but computed again there.
 * Same numbers, less memory, more arithmetic. Nested calls belong to the outermost.
 */
export function checkpoint<T>(body: () => T): T {
  if (segment !== 0) return body();
  segment = nextSegment++;
  try {
    return body();
  } finally {
    segment = 0;
  }
}

const leaf = (name: string): Op => ({
  name,
  infer: (_, attributes) => [attributes as LeafAttributes],
  lowering: { kind: "leaf" },
});

interface LeafAttributes {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly host?: HostNumbers;
}

/** Numbers of a constant, or those a parameter starts from; `make` runs when they are first needed. */
interface HostNumbers {
  data?: HostArray;
  readonly make?: () => HostArray;
}

const inputOp = leaf("input");
const parameterOp = leaf("parameter");
const constantOp = leaf("constant");

const only = (tensors: readonly Tensor[]): Tensor => tensors[0] as Tensor;

/** A value given at every run.
 *  @shape -> `shape` */
export function input(shape: Shape, dtype: DType = "f32"): Tensor {
  return only(record(inputOp, [], { shape, dtype }));
}

/** A persistent value on the device that programs read and update. It starts as `initial`: numbers, or what makes them when
 *  they are first needed, so that a model too large for this machine can still be built and counted; without it, as zeros.
 *  @shape initial [...shape] -> `shape`
 *  @throws ShapeError when the number of elements differs */
export function parameter(shape: Shape, initial?: HostArray | (() => HostArray)): Tensor {
  checkShape(shape, "parameter");
  const host: HostNumbers = typeof initial === "function" ? { make: initial } : initial ? { data: initial } : {};
  if (host.data) checkLength("parameter", shape, host.data);
  return only(record(parameterOp, [], { shape, dtype: "f32", host }));
}

/** Fixed numbers, part of the program.
 *  @shape data [...shape] -> `shape`
 *  @throws ShapeError when the number of elements differs */
export function constant(data: HostArray | readonly number[] | number, shape?: Shape): Tensor {
  const array =
    typeof data === "number" ? Float64Array.of(data) : Array.isArray(data) ? Float64Array.from(data) : (data as HostArray);
  const own = shape ?? (typeof data === "number" ? [] : [array.length]);
  checkLength("constant", own, array);
  return only(
    record(constantOp, [], { shape: own, dtype: array instanceof Int32Array ? "i32" : "f32", host: { data: array } }),
  );
}

export const isInput = (tensor: Tensor): boolean => tensor.node.op === inputOp;
export const isParameter = (tensor: Tensor): boolean => tensor.node.op === parameterOp;
export const isConstant = (tensor: Tensor): boolean => tensor.node.op === constantOp;

/** The numbers of a constant, or those a parameter starts from.
 *  @throws ShapeError for any other tensor */
export function hostData(tensor: Tensor): HostArray {
  const { host } = tensor.node.attributes as LeafAttributes;
  if (!host) throw new ShapeError(`${tensor}: holds no numbers on the host. Only constants and parameters do.`);
  const data = host.data ?? host.make?.() ?? new Float32Array(tensor.size);
  checkLength(tensor.node.op.name, tensor.shape, data);
  if (isConstant(tensor)) host.data = data;
  return data;
}

/** Whether a parameter starts from zeros that nobody needs to make. */
export function startsAtZero(tensor: Tensor): boolean {
  const { host } = tensor.node.attributes as LeafAttributes;
  return host !== undefined && !host.data && !host.make;
}

/** Changes what a parameter starts from, on devices that do not hold it yet.
 *  @throws ShapeError when the number of elements differs */
export function setInitial(tensor: Tensor, data: HostArray): void {
  checkLength("parameter", tensor.shape, data);
  const { host } = tensor.node.attributes as LeafAttributes;
  if (host) host.data = data;
}

function checkLength(where: string, shape: Shape, data: HostArray): void {
  checkShape(shape, where);
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${where}: shape ${showShape(shape)} has ${sizeOf(shape)} elements, got ${data.length} numbers.`);
  }
}
