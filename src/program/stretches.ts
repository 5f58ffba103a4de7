import type { Shape } from "../base/shape.js";

/** Runs of axes that one copy stretches: with those around and between them they are five. */
const runsOfACopy = 2;

/**
 * The shapes by which a tensor is stretched to a domain, as many runs of axes at a time as one copy walks: innermost first, as what is
 * copied grows from each to the next.
 */
export function stretches(shape: readonly number[], domain: Shape): number[][] {
  const result: number[][] = [];
  let current = [...shape];
  let [runs, inRun] = [0, false];
  for (let axis = domain.length - 1; axis >= 0; axis--) {
    if (domain[axis] === 1) continue;
    const stretched = current[axis] === 1;
    if (stretched && !inRun && ++runs > runsOfACopy) {
      result.push(current);
      runs = 1;
    }
    inRun = stretched;
    if (stretched) current = current.with(axis, domain[axis]);
  }
  return [...result, current];
}
