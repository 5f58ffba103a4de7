/** The order in which calls had better come, so that many can be joined. */
import type { KernelCall } from "../calls.js";
import type { Locate } from "../target.js";
import { joining, joinsOf, type Touch, type Unit, unitsOf } from "./joins.js";
import { meet } from "./places.js";

/** Units that are looked at beyond the first that is not placed yet: what comes earlier or later than it did holds memory meanwhile. */
const window = 24;

/** Calls as lists of those that run at once, in an order that keeps what depends on what. */
export function scheduled<B>(calls: readonly KernelCall<B>[], locate: Locate<B>): readonly (readonly number[])[] {
  const order = orderOf(unitsOf(calls, locate));
  const joins = joinsOf(
    order.map((index) => calls[index]),
    locate,
  );
  return joins.map((join) => join.flatMap(({ index, rider }) => (rider ? [order[index], order[index + 1]] : [order[index]])));
}

/** Indices of calls. The unit that most others wait for leads, and what can run at once with it joins it. */
function orderOf<B>(units: readonly Unit<B>[]): number[] {
  const before = dependencies(units);
  const heights = heightsOf(before);
  const isPlaced = units.map(() => false);
  const order: number[] = [];
  for (let first = 0; first < units.length; ) {
    const near = Array.from({ length: Math.min(window, units.length - first) }, (_, i) => first + i);
    const join: Unit<B>[] = [];
    // What waits for another is less high than that, and comes after it here.
    for (const i of near.sort((a, b) => heights[b] - heights[a] || a - b)) {
      if (isPlaced[i] || !before[i].every((other) => isPlaced[other])) continue;
      const joined = joining(join, units[i]);
      if (!joined) continue;
      join.push(joined);
      isPlaced[i] = true;
    }
    for (const { index, rider } of join.sort((a, b) => a.index - b.index)) order.push(index, ...(rider ? [index + 1] : []));
    while (isPlaced[first]) first++;
  }
  return order;
}

/** Of every unit those before it that it must come after. */
function dependencies(units: readonly Unit<unknown>[]): readonly number[][] {
  const touched = new Map<object, { readonly touch: Touch; readonly unit: number }[]>();
  return units.map(({ own }, unit) => {
    const before = new Set<number>();
    for (const touch of own) {
      const others = touched.get(touch.memory) ?? [];
      for (const { touch: other, unit: index } of others)
        if (index !== unit && (touch.writes || other.writes) && meet(touch, other)) before.add(index);
      touched.set(touch.memory, others);
      others.push({ touch, unit });
    }
    return [...before];
  });
}

/** How many units wait for each other behind each. */
function heightsOf(before: readonly (readonly number[])[]): number[] {
  const heights = before.map(() => 0);
  for (let i = before.length - 1; i >= 0; i--)
    for (const other of before[i]) heights[other] = Math.max(heights[other], heights[i] + 1);
  return heights;
}
