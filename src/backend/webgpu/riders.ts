/** Fused calls that ride along with the call before them: a lane that has an element goes on with it, and one dispatch is saved. */
import { type BufferUse, callBuffers, type KernelCall } from "../calls.js";
import type { Slot } from "../device.js";
import type { FusedCall } from "../kernels/fused.js";

/** A fused call, and what of it comes from the call it rides with. */
export interface Rider {
  readonly call: FusedCall<Slot>;
  /** What the call before calls the buffer that is read element by element. */
  readonly output: string;
  /** Which reads of the fused call that buffer is. */
  readonly own: ReadonlySet<number>;
}

/** Kernels that write each element of a result once, in one piece and by one lane, and never read it again. */
const carriers: Readonly<Record<string, readonly string[]>> = {
  matmul: ["c"],
  gatherRows: ["y"],
  layerNormGrad: ["dx"],
  reduce: ["write"],
  fused: ["write 0", "write 1", "write 2", "write 3"],
};

/** Of every call the one that rides with it, if there is one. What rides carries nobody. */
export function ridersOf(calls: readonly KernelCall<Slot>[]): readonly (Rider | undefined)[] {
  let rides = false;
  return calls.map((call, i) => {
    const rider = rides ? undefined : riderOf(call, calls[i + 1]);
    rides = rider !== undefined;
    return rider;
  });
}

/** Dispatches of a program, where every adapter binds what they need. */
export function dispatchCount(calls: readonly KernelCall<Slot>[]): number {
  const riding = ridersOf(calls).filter((rider) => rider !== undefined).length;
  // The gradient of attention is two: that of queries, and that of keys and values.
  return calls.length + calls.filter(({ kernel }) => kernel === "attentionGrad").length - riding;
}

function riderOf(call: KernelCall<Slot>, next: KernelCall<Slot> | undefined): Rider | undefined {
  if (next?.kernel !== "fused") return undefined;
  const uses = callBuffers(call);
  const [theirs, all] = [callBuffers(next), next.dims.reduce((product, size) => product * size, 1)];
  for (const output of carriers[call.kernel] ?? []) {
    const result = uses.find(({ name }) => name === output);
    if (result?.elements !== all) continue;
    const own = new Set(
      next.reads.flatMap(({ strides }, j) => (isSame(theirs[j], result) && isInOrder(strides, next.dims) ? [j] : [])),
    );
    if (own.size > 0 && isSafe(uses, theirs, result, own)) return { call: next, output, own };
  }
  return undefined;
}

/**
 * Whether lanes may go on at once, while others are at the call still: what rides reads nothing else that the call writes, and writes
 * nothing that the call reads or writes, unless it is the very element that it came from.
 */
function isSafe(
  uses: readonly BufferUse<Slot>[],
  theirs: readonly BufferUse<Slot>[],
  result: BufferUse<Slot>,
  own: ReadonlySet<number>,
): boolean {
  return theirs.every((use, j) => {
    if (!use.writes) return own.has(j) || !uses.some((other) => other.writes && meet(use, other));
    return uses.every((other) => (other === result && isSame(use, result)) || !meet(use, other));
  });
}

const isSame = (a: BufferUse<Slot>, b: BufferUse<Slot>): boolean =>
  a.buffer.storage === b.buffer.storage && a.buffer.offset === b.buffer.offset && a.elements === b.elements;

const meet = (a: BufferUse<Slot>, b: BufferUse<Slot>): boolean =>
  a.buffer.storage === b.buffer.storage &&
  a.buffer.offset < b.buffer.offset + b.elements &&
  b.buffer.offset < a.buffer.offset + a.elements;

/** Whether elements are walked as they lie. */
function isInOrder(strides: readonly number[], dims: readonly number[]): boolean {
  let step = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    if (dims[axis] !== 1 && strides[axis] !== step) return false;
    step *= dims[axis];
  }
  return true;
}
