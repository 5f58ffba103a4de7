/** Fused calls that ride along with the call before them: a lane that has an element goes on with it, and one dispatch is saved. */
import { type BufferUse, callBuffers, type KernelCall } from "../calls.js";
import type { FusedCall } from "../kernels/fused.js";
import type { Locate } from "../target.js";
import { isSamePlace, meet } from "./places.js";

/** A fused call, and what of it comes from the call it rides with. */
export interface Rider<B> {
  readonly call: FusedCall<B>;
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
export function ridersOf<B>(calls: readonly KernelCall<B>[], locate: Locate<B>): readonly (Rider<B> | undefined)[] {
  let rides = false;
  return calls.map((call, i) => {
    const rider = rides ? undefined : riderOf(call, calls[i + 1], locate);
    rides = rider !== undefined;
    return rider;
  });
}

function riderOf<B>(call: KernelCall<B>, next: KernelCall<B> | undefined, locate: Locate<B>): Rider<B> | undefined {
  const rider = next && carried(call, next, locate);
  return rider && isSafe(call, rider, locate) ? rider : undefined;
}

/** What of a fused call comes element by element from the call before: the result's name there, and which reads it is. */
function carried<B>(call: KernelCall<B>, next: KernelCall<B>, locate: Locate<B>): Rider<B> | undefined {
  if (next.kernel !== "fused") return undefined;
  const all = next.dims.reduce((product, size) => product * size, 1);
  for (const result of callBuffers(call)) {
    if (!carriers[call.kernel]?.includes(result.name) || result.elements !== all) continue;
    const own = next.reads.flatMap(({ buffer, strides }, j) =>
      isSamePlace(locate(buffer), locate(result.buffer)) && isInOrder(strides, next.dims) ? [j] : [],
    );
    if (own.length > 0) return { call: next, output: result.name, own: new Set(own) };
  }
  return undefined;
}

/**
 * Whether lanes may go on at once, while others are at the call still: what rides reads nothing else that the call writes, and writes
 * nothing that the call reads or writes, unless it is the very element that it came from.
 */
function isSafe<B>(call: KernelCall<B>, { call: next, output, own }: Rider<B>, locate: Locate<B>): boolean {
  const uses = callBuffers(call);
  const overlap = (a: BufferUse<B>, b: BufferUse<B>) => meet({ ...locate(a.buffer), ...a }, { ...locate(b.buffer), ...b });
  const isSame = (a: B, b: B) => isSamePlace(locate(a), locate(b));
  return callBuffers(next).every((use, j) => {
    if (!use.writes) return own.has(j) || !uses.some((other) => other.writes && overlap(use, other));
    return uses.every((other) => (other.name === output && isSame(use.buffer, other.buffer)) || !overlap(use, other));
  });
}

/** Whether elements are walked as they lie. */
function isInOrder(strides: readonly number[], dims: readonly number[]): boolean {
  let step = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    if (dims[axis] !== 1 && strides[axis] !== step) return false;
    step *= dims[axis];
  }
  return true;
}
