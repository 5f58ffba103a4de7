/** Calls that run in one dispatch: they depend on nothing between them, and share its workgroups out. */
import { callBuffers, type KernelCall } from "../calls.js";
import type { Locate, Location } from "../target.js";
import { lanesOfSums, launchesOf, numbersOf } from "./launches.js";
import { meet } from "./places.js";
import { type Rider, ridersOf } from "./riders.js";

/** A call and what rides with it. */
export interface Unit<B> {
  /** Which call of the list it is; what rides is the next. */
  readonly index: number;
  readonly call: KernelCall<B>;
  readonly rider: Rider<B> | undefined;
  readonly touches: readonly Touch[];
  /** Lanes of its workgroups; undefined where any number does. */
  readonly lanes: number | undefined;
}

/** A stretch of memory that a unit reads or writes. */
export interface Touch extends Location {
  readonly elements: number;
  readonly writes: boolean;
}

/** Texts of more calls than these would take long to compile. */
const mostUnits = 8;

/** Calls, each with what rides with it. */
export function unitsOf<B>(calls: readonly KernelCall<B>[], locate: Locate<B>): Unit<B>[] {
  const riders = ridersOf(calls, locate);
  const touchesOf = (call: KernelCall<B>): Touch[] => callBuffers(call).map((use) => ({ ...use, ...locate(use.buffer) }));
  return calls.flatMap((call, index) => {
    if (riders[index - 1]) return [];
    const rider = riders[index];
    const touches = [...touchesOf(call), ...(rider ? touchesOf(rider.call) : [])];
    return { index, call, rider, touches, lanes: lanesOf(call) };
  });
}

/** Units in the order of their calls, as lists of those that run at once. */
export function joinsOf<B>(calls: readonly KernelCall<B>[], locate: Locate<B>): Unit<B>[][] {
  const joins: Unit<B>[][] = [];
  for (const unit of unitsOf(calls, locate)) {
    const last = joins.at(-1);
    if (last && fits(last, unit) && last.every((other) => areApart(other, unit))) last.push(unit);
    else joins.push([unit]);
  }
  return joins;
}

/** Whether one dispatch can have a unit too, if it depends on none of the others. */
export const fits = (join: readonly Unit<unknown>[], { lanes }: Unit<unknown>): boolean =>
  join.length < mostUnits && (lanes === undefined || join.every((other) => (other.lanes ?? lanes) === lanes));

/** Whether units may run at once: neither writes what the other touches. */
const areApart = (a: Unit<unknown>, b: Unit<unknown>): boolean =>
  !a.touches.some((own) => b.touches.some((other) => (own.writes || other.writes) && meet(own, other)));

/** Lanes of a workgroup of a call; undefined where every lane has an element of its own. */
function lanesOf(call: KernelCall<unknown>): number | undefined {
  if (call.kernel === "fused") return undefined;
  if (call.kernel === "reduce") return lanesOfSums;
  const [{ kind, lanes }] = launchesOf(call.kernel, numbersOf(call));
  return kind === "elements" ? undefined : lanes;
}
