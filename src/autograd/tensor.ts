import { type HostArray, hostNumbers, type NestedNumbers, numbersFor } from "../backend/host.js";
import { copyOf, thisCopy } from "../base/copy.js";
import type { DType } from "../base/elements.js";
import { ConfigError, ShapeError } from "../base/errors.js";
import { callable, checkValue, oneOf, type Rule, show, text } from "../base/options.js";
import { checkShape, type Shape, showShape, sizeOf } from "../base/shape.js";
import type { Inferred, LeafKind, Op } from "./op.js";
import type { AnyOperands, AnyResults } from "./operands.js";

/** Numbers on the host. */
export type { DType, HostArray };

/** One application of an op in the recorded graph. */
export interface Node {
  /** Grows in the order of recording, so that it is also a valid order of execution. */
  readonly id: number;
  readonly op: Op;
  /** In the order of the op's definition. */
  readonly operands: AnyOperands<Tensor>;
  /** All tensors among the operands, in their order. */
  readonly inputs: readonly Tensor[];
  readonly attributes: unknown;
  readonly results: AnyResults<Tensor>;
  /** All tensors among the results, in their order. */
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

  get [copyOf](): object {
    return thisCopy;
  }

  toString(): string {
    const { op, scope } = this.node;
    return `${op.name} ${this.dtype} ${showShape(this.shape)}${scope ? ` in ${scope}` : ""}`;
  }
}

export const tensorRule: Rule = { text: "a tensor", holds: (value) => value instanceof Tensor };

/** @throws ShapeError when it is no tensor, or one of another copy of the library, whose numbers this copy does not find */
export function checkTensor(where: string, name: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return;
  const numbers = typeof value === "number" || Array.isArray(value) || ArrayBuffer.isView(value);
  throw new ShapeError(
    `${where}: ${name} must be a tensor, got ${show(value)}.${numbers ? " Make one of it with constant()." : ""}`,
  );
}

/** Checks an op's operands by name, and those that may be left out.
 *  @throws ShapeError naming the first that is no tensor */
export function checkTensors(
  where: string,
  operands: Readonly<Record<string, unknown>>,
  optional: Readonly<Record<string, unknown>> = {},
): void {
  for (const name in operands) checkTensor(where, name, operands[name]);
  for (const name in optional) if (optional[name] !== undefined) checkTensor(where, name, optional[name]);
}

/** Refuses a list of anything but tensors.
 *  @throws ShapeError naming the first that is none */
export function checkTensorList(where: string, list: unknown): asserts list is readonly Tensor[] {
  if (!Array.isArray(list)) throw new ShapeError(`${where}: expected an array of tensors, got ${show(list)}.`);
  for (const [i, x] of list.entries()) checkTensor(where, `element ${i}`, x);
}

let nextId = 1;
let scopePath = "";
let segment = 0;
let nextSegment = 1;

/** Records a node; shapes of its results come from the op's rule. */
export function record(op: Op, given: AnyOperands<Tensor>, attributes: unknown): Node {
  const operands: Record<string, Tensor | readonly Tensor[] | number> = {};
  const inputs: Tensor[] = [];
  for (const name in op.operands) {
    const kind = op.operands[name];
    const x = given[name];
    if (x === undefined && kind === "optional") continue;
    if (kind === "list") {
      checkTensorList(op.name, x);
      operands[name] = x;
      inputs.push(...x);
    } else if (kind === "orNumber" && typeof x === "number") {
      operands[name] = x;
    } else {
      checkTensor(op.name, name, x);
      operands[name] = x;
      inputs.push(x);
    }
  }
  const wrong = op.takesI32 ? undefined : inputs.find((x) => x.dtype !== "f32");
  if (wrong) {
    throw new ShapeError(
      `${op.name}: operands must be f32, got ${wrong}. i32 tensors are indices and labels; toF32 makes numbers of them.`,
    );
  }
  const results: Record<string, Tensor | readonly Tensor[]> = {};
  const outputs: Tensor[] = [];
  const node: Node = { id: nextId++, op, operands, inputs, attributes, results, outputs, scope: scopePath, segment };
  const result = (own: Inferred): Tensor => {
    const { shape, dtype = "f32" } = "shape" in own ? own : { shape: own };
    checkShape(shape, op.name);
    const tensor = new Tensor(node, outputs.length, shape, dtype);
    outputs.push(tensor);
    return tensor;
  };
  const inferred = op.infer(operands, attributes);
  for (const name in op.results) {
    const own = inferred[name];
    if (own === undefined) continue;
    results[name] = isList(own, op.results[name]) ? own.map(result) : result(own);
  }
  return node;
}

/** A shape is a list too: what a result is says which of the two is meant. */
const isList = (_own: Inferred | readonly Inferred[], kind: string): _own is readonly Inferred[] => kind === "list";

/** Runs `body` with `name` appended to the scope that recorded nodes carry. */
export function scope<T>(name: string, body: () => T): T {
  checkValue("scope", "name", name, text);
  return withScope(scopePath ? `${scopePath}.${name}` : name, () => atOnce("scope", body));
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
  if (segment !== 0) return atOnce("checkpoint", body);
  segment = nextSegment++;
  try {
    return atOnce("checkpoint", body);
  } finally {
    segment = 0;
  }
}

/** What `body` returns; what it records must be recorded before it returns.
 *  @throws ConfigError when it is no function, or an asynchronous one */
function atOnce<T>(where: string, body: () => T): T {
  checkValue(where, "body", body, callable);
  const result = body();
  if (result instanceof Promise)
    throw new ConfigError(`${where}: body must not be asynchronous: what it records after an await belongs to no ${where}.`);
  return result;
}

/** Numbers of a constant, or those a parameter starts from; `make` runs when they are first needed. */
interface HostNumbers {
  data?: HostArray;
  readonly make?: () => HostArray;
  /** How often they were set. */
  edition: number;
}

/** Attributes of a leaf. */
class Leaf {
  readonly shape: Shape;
  constructor(
    shape: Shape,
    readonly dtype: DType,
    readonly host?: HostNumbers,
  ) {
    this.shape = [...shape];
  }
}

const leaf = (kind: LeafKind) => {
  const op: Op = {
    name: kind,
    operands: {},
    results: { value: "always" },
    infer: (_, own) => ({ value: own instanceof Leaf ? own : [] }),
    lowering: { kind: "leaf", leaf: kind },
  };
  return (own: Leaf): Tensor => record(op, {}, own).outputs[0];
};
const inputOp = leaf("input");
const parameterOp = leaf("parameter");
const constantOp = leaf("constant");

const hostOf = ({ node: { attributes } }: Tensor): HostNumbers | undefined =>
  attributes instanceof Leaf ? attributes.host : undefined;

const dtypes = oneOf("f32", "i32");

/** A value given at every run.
 *  @shape -> `shape`
 *  @throws ShapeError when an axis is not a positive whole number
 *  @throws ConfigError when the type is not f32 or i32 */
export function input(shape: Shape, dtype: DType = "f32"): Tensor {
  checkShape(shape, "input");
  checkValue("input", "dtype", dtype, dtypes);
  return inputOp(new Leaf(shape, dtype));
}

/** A persistent value on the device that programs read and update. It starts as `initial`: numbers, or what makes them when
 *  they are first needed, so that a model too large for this machine can still be built and counted; without it, as zeros.
 *  @shape initial [...shape] -> `shape`
 *  @throws ShapeError when the number of elements differs */
export function parameter(shape: Shape, initial?: NestedNumbers | (() => HostArray)): Tensor {
  checkShape(shape, "parameter");
  const numbers =
    typeof initial === "function"
      ? { make: initial }
      : initial === undefined
        ? {}
        : { data: numbersFor("parameter", initial, shape) };
  const host: HostNumbers = { ...numbers, edition: 0 };
  return parameterOp(new Leaf(shape, "f32", host));
}

/** Fixed numbers, part of the program: one, an array, or arrays in arrays. An `Int32Array` makes an i32 tensor, all else f32.
 *  What makes them is asked when they are first needed: a large table costs nothing while a program is only counted.
 *  @shape data [...shape] -> `shape`; without it the shape is the data's own
 *  @throws ShapeError when the number of elements differs, rows differ in length, or something is not a number
 *  @throws ConfigError when what makes the numbers comes without a shape */
export function constant(data: number | NestedNumbers | (() => Float32Array), shape?: Shape): Tensor {
  if (shape !== undefined) checkShape(shape, "constant");
  if (typeof data === "function") {
    if (!shape) throw new ConfigError("constant: numbers that are made later need a shape now. Give it after them.");
    return constantOp(new Leaf(shape, "f32", { make: data, edition: 0 }));
  }
  const numbers = hostNumbers("constant", data);
  checkShape(numbers.shape, "constant");
  const own = shape ?? numbers.shape;
  const host = { data: shape ? numbersFor("constant", data, shape) : numbers.data, edition: 0 };
  return constantOp(new Leaf(own, host.data instanceof Int32Array ? "i32" : "f32", host));
}

const isLeaf = ({ node }: Tensor, kind: LeafKind): boolean => {
  const { lowering } = node.op;
  return lowering.kind === "leaf" && lowering.leaf === kind;
};
export const isInput = (tensor: Tensor): boolean => isLeaf(tensor, "input");
export const isParameter = (tensor: Tensor): boolean => isLeaf(tensor, "parameter");
export const isConstant = (tensor: Tensor): boolean => isLeaf(tensor, "constant");

/** The numbers of a constant, or those a parameter starts from.
 *  @throws ShapeError for any other tensor */
export function hostData(tensor: Tensor): HostArray {
  const host = hostOf(tensor);
  if (!host) throw new ShapeError(`${tensor}: holds no numbers on the host. Only constants and parameters do.`);
  const made = host.data ?? host.make?.() ?? new Float32Array(tensor.size);
  const data = numbersFor(tensor.node.op.name, made, tensor.shape);
  if (isConstant(tensor)) host.data = data;
  return data;
}

/** Whether the numbers of a constant are there, or would have to be made. */
export const isMade = (tensor: Tensor): boolean => hostOf(tensor)?.data !== undefined;

/** Whether a parameter starts from zeros that nobody needs to make. */
export function startsAtZero(tensor: Tensor): boolean {
  const host = hostOf(tensor);
  return host !== undefined && !host.data && !host.make;
}

/** How often the numbers that a parameter starts from were set. */
export const editionOf = (tensor: Tensor): number => hostOf(tensor)?.edition ?? 0;

/** Changes what a parameter starts from, on devices that do not hold it yet.
 *  @throws ShapeError when the number of elements differs */
export function setInitial(tensor: Tensor, data: HostArray): void {
  const numbers = numbersFor("parameter", data, tensor.shape);
  const host = hostOf(tensor);
  if (!host) return;
  host.data = numbers;
  host.edition++;
}
