import { callBuffers, type KernelCall } from "../calls.js";
import type { Slot } from "../device.js";
import { mayFollow } from "./chains.js";

/**
 * What follows a call: threads meet; they go on, because the next call has nothing to do with this one; or the next call takes up
 * this one's result part by part as it comes.
 */
export type After = "meet" | "goOn" | "chain";

/** A stretch of memory that a call reads or writes: elements start..end-1 of a storage. */
export interface Stretch {
  readonly storage: object;
  readonly start: number;
  readonly end: number;
  readonly writes: boolean;
}

const conflict = (a: Stretch, b: Stretch): boolean =>
  a.storage === b.storage && (a.writes || b.writes) && a.start < b.end && b.start < a.end;

/** What follows each of these calls. */
export function schedule(calls: readonly KernelCall<Slot>[]): After[] {
  const stretches = calls.map((call) =>
    callBuffers(call).map(({ buffer: { storage, offset }, elements, writes }): Stretch => {
      return { storage, start: offset, end: offset + elements, writes };
    }),
  );
  return callOrder(stretches, chainedCalls(calls, stretches));
}

/** Which calls the next one follows part by part: it must not write what the first still reads. */
export function chainedCalls(calls: readonly KernelCall<Slot>[], stretches: readonly (readonly Stretch[])[]): boolean[] {
  const same = (a: Slot, b: Slot) => a.storage === b.storage && a.offset === b.offset;
  return calls.map((call, i) => {
    if (!mayFollow(call, calls[i + 1], same)) return false;
    const operands = stretches[i].filter(({ writes }) => !writes);
    return stretches[i + 1].every((own) => !own.writes || !operands.some((other) => conflict(own, other)));
  });
}

/**
 * Cuts a list of calls into intervals within which no call writes what another reads or writes: threads need to meet only at
 * their ends. Returns, for each call, whether it is the last of its interval.
 */
export function intervalEnds(calls: readonly (readonly Stretch[])[]): boolean[] {
  const ends = calls.map(() => true);
  let open = new Map<object, Stretch[]>();
  calls.forEach((stretches, i) => {
    const free = stretches.every((own) => !open.get(own.storage)?.some((other) => conflict(own, other)));
    if (i > 0 && free) ends[i - 1] = false;
    if (!free) open = new Map();
    for (const own of stretches) open.set(own.storage, [...(open.get(own.storage) ?? []), own]);
  });
  return ends;
}

/** What follows each call, where `chained` calls and the next are one piece of work. */
export function callOrder(calls: readonly (readonly Stretch[])[], chained: readonly boolean[]): After[] {
  const pieces: Stretch[][] = [];
  const pieceOf = calls.map((stretches, i) => {
    if (chained[i - 1]) pieces.at(-1)?.push(...stretches);
    else pieces.push([...stretches]);
    return pieces.length - 1;
  });
  const ends = intervalEnds(pieces);
  return pieceOf.map((piece, i) => (chained[i] ? "chain" : ends[piece] ? "meet" : "goOn"));
}
