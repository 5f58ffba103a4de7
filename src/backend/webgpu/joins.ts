/** Calls that run in one dispatch: they depend on nothing between them, and share its workgroups out. */
import { callBuffers, type KernelCall } from "../calls.js";
import type { Locate, Location } from "../target.js";
import { lanesOfSum, lanesOfSums, launchesOf, numbersOf } from "./launches.js";
import { meet } from "./places.js";
import { sourcesOf } from "./remade.js";
import { type Rider, ridersOf } from "./riders.js";

/** A call and what rides with it. */
export interface Unit<B> {
  /** Which call of the list it is; what rides is the next. */
  readonly index: number;
  readonly call: KernelCall<B>;
  readonly rider: Rider<B> | undefined;
  /** What it touches, a stretch a buffer of its calls, in their order. */
  readonly own: readonly Touch[];
  /** What it touches of others' as one of a join: not what it makes again, but what that is made of. */
  readonly touches: readonly Touch[];
  /** Of its buffers those that it does not read, but makes again. */
  readonly sources: ReadonlyMap<number, Source<B>>;
  /** Lanes of its workgroups; undefined where any number does. */
  readonly lanes: number | undefined;
}

/** A stretch of memory that a unit reads or writes. */
export interface Touch extends Location {
  readonly elements: number;
  readonly writes: boolean;
}

/** A result of another unit, by its place among the buffers of that, from one of its elements on. */
export interface Source<B> {
  readonly unit: Unit<B>;
  readonly result: number;
  readonly first: number;
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
    const carrier = touchesOf(call);
    const riding = rider ? touchesOf(rider.call) : [];
    const touches = [...carrier, ...riding.filter((_, i) => !rider?.own.has(i))];
    return { index, call, rider, own: [...carrier, ...riding], touches, sources: new Map(), lanes: lanesOf(call) };
  });
}

/** Units in the order of their calls, as lists of those that run at once. */
export function joinsOf<B>(calls: readonly KernelCall<B>[], locate: Locate<B>): Unit<B>[][] {
  const joins: Unit<B>[][] = [];
  for (const unit of unitsOf(calls, locate)) {
    const last = joins.at(-1);
    const joined = last && joining(last, unit);
    if (joined) last.push(joined);
    else joins.push([unit]);
  }
  return joins;
}

/** A unit as one more of a join: what it reads of the others' results is made again. Undefined where it must wait for one of them, or
 *  they are too many or too unlike. */
export function joining<B>(join: readonly Unit<B>[], unit: Unit<B>): Unit<B> | undefined {
  const { lanes } = unit;
  if (join.length >= mostUnits) return undefined;
  if (lanes !== undefined && join.some((other) => (other.lanes ?? lanes) !== lanes)) return undefined;
  const sources = sourcesOf(join, unit);
  const rest = unit.touches.filter((touch) => !sources.has(unit.own.indexOf(touch)));
  const made = [...sources.values()].flatMap((source) => source.unit.touches.filter(({ writes }) => !writes));
  const joined = sources.size === 0 ? unit : { ...unit, sources, touches: [...rest, ...made] };
  return join.every((other) => areApart(other, joined)) ? joined : undefined;
}

/** Whether units may run at once: neither writes what the other touches. */
const areApart = (a: Unit<unknown>, b: Unit<unknown>): boolean =>
  !a.touches.some((own) => b.touches.some((other) => (own.writes || other.writes) && meet(own, other)));

/** Lanes of a workgroup of a call; undefined where every lane has an element of its own. */
function lanesOf(call: KernelCall<unknown>): number | undefined {
  if (call.kernel === "fused") return undefined;
  if (call.kernel === "reduce") return lanesOfSum(call) === 1 ? undefined : lanesOfSums;
  const [{ kind, lanes }] = launchesOf(call.kernel, numbersOf(call));
  return kind === "elements" ? undefined : lanes;
}
