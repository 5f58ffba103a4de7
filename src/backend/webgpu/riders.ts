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

/** What of a fused call comes element by element from the call before: the result's name there, and which reads it is. */
function carried<B>(call: KernelCall<B>, next: KernelCall<B>, same: (a: B, b: B) => boolean) {
  if (next.kernel !== "fused") return undefined;
  const all = next.dims.reduce((product, size) => product * size, 1);
  for (const result of callBuffers(call)) {
    if (!carriers[call.kernel]?.includes(result.name) || result.elements !== all) continue;
    const own = next.reads.flatMap(({ buffer, strides }, j) =>
      same(buffer, result.buffer) && isInOrder(strides, next.dims) ? [j] : [],
    );
    if (own.length > 0) return { call: next, output: result.name, own: new Set(own) };
  }
  return undefined;
}

/** Whether a call could ride with the one before it, if memory allowed it. */
export const couldRide = <B>(call: KernelCall<B>, next: KernelCall<B>, same: (a: B, b: B) => boolean): boolean =>
  carried(call, next, same) !== undefined;

function riderOf(call: KernelCall<Slot>, next: KernelCall<Slot> | undefined): Rider | undefined {
  const rider = next && carried(call, next, isSame);
  return rider && isSafe(call, rider) ? rider : undefined;
}

/**
 * Whether lanes may go on at once, while others are at the call still: what rides reads nothing else that the call writes, and writes
 * nothing that the call reads or writes, unless it is the very element that it came from.
 */
function isSafe(call: KernelCall<Slot>, { call: next, output, own }: Rider): boolean {
  const uses = callBuffers(call);
  return callBuffers(next).every((use, j) => {
    if (!use.writes) return own.has(j) || !uses.some((other) => other.writes && meet(use, other));
    return uses.every((other) => (other.name === output && isSame(use.buffer, other.buffer)) || !meet(use, other));
  });
}

const isSame = (a: Slot, b: Slot): boolean => a.storage === b.storage && a.offset === b.offset;

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
