/** A point of a line. */
export type Point = readonly [x: number, y: number];

/** Half the width of the smoothing, as a part of the whole line. */
const halfWidth = 0.04;
/** At least this many typical steps on each side. */
const leastSteps = 2.5;
/** With fewer points there is nothing to smooth. */
const leastPoints = 5;

/**
 * A smoothed line that does not lag: at each point the straight line that fits its neighbours on both sides best, near ones counting more.
 * Unlike a running average it neither trails behind a falling line nor clings to its start; at the ends the slope is kept.
 * @source Cleveland, "Robust locally weighted regression and smoothing scatterplots", 1979, without its robust iterations, with a fixed width
 */
export function smoothLine(points: readonly Point[]): Point[] {
  const sorted = [...points].sort(([a], [b]) => a - b);
  if (sorted.length < leastPoints) return [];
  const gaps = sorted.slice(1).map(([x], i) => x - sorted[i][0]);
  const typical = gaps.sort((a, b) => a - b)[gaps.length >> 1];
  const span = sorted[sorted.length - 1][0] - sorted[0][0];
  const reach = Math.max(halfWidth * span, leastSteps * typical);
  if (reach === 0) return [];
  let [from, to] = [0, 0];
  return sorted.map(([x]) => {
    while (sorted[from][0] <= x - reach) from++;
    while (to < sorted.length && sorted[to][0] < x + reach) to++;
    return [x, fitAt(x, reach, sorted, from, to)];
  });
}

/** The value at `x` of the straight line through the points from..to, weighted by (1 - |d / reach|³)³. */
function fitAt(x: number, reach: number, points: readonly Point[], from: number, to: number): number {
  let [weight, first, second, value, moment] = [0, 0, 0, 0, 0];
  for (let i = from; i < to; i++) {
    const [at, y] = points[i];
    const distance = (at - x) / reach;
    const own = (1 - Math.abs(distance) ** 3) ** 3;
    weight += own;
    first += own * distance;
    second += own * distance * distance;
    value += own * y;
    moment += own * distance * y;
  }
  const determinant = weight * second - first * first;
  // One point alone, or all at one place, have no slope.
  return determinant > 1e-9 * weight * weight ? (second * value - first * moment) / determinant : value / weight;
}
