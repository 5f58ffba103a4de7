/** Who takes part: runs something so many times, and says how long each run took.
 *  @units ms */
export interface Racer {
  run(count: number): Promise<readonly number[]>;
}

export interface Timing {
  readonly ms: number;
  /** One run in ten is faster: what the machine does while nobody disturbs it. */
  readonly fastMs: number;
  /** Half the distance between the quartiles, as a part of the median. */
  readonly spread: number;
  readonly runs: number;
}

/** Runs in a row of one contender take about this long. */
const turnMs = 50;
/** A turn of runs shorter than this starts with one that is not timed: it finds caches full of another's data, and cores asleep. */
const steadyMs = 500;
const fewestRounds = 3;
/** One that takes longer over a single run is not timed. */
const slowestMs = 40_000;

export const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN;

export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/**
 * Lets contenders run in turns, so that what else the machine does strikes all alike, for `seconds` each.
 * `between` is called once a round. A contender that fails or crawls has no timing.
 */
export async function race(
  contenders: readonly Racer[],
  seconds: number,
  between: () => Promise<void> = async () => undefined,
): Promise<(Timing | undefined)[]> {
  const times = contenders.map((): number[] => []);
  const turns: { readonly runs: number; readonly untimed: number }[] = [];
  for (const contender of contenders) {
    // Engines compile what runs often: what is timed comes after.
    await contender.run(1);
    const from = performance.now();
    const [ms = Number.POSITIVE_INFINITY] = await contender.run(1);
    const runs = ms > slowestMs ? 0 : Math.max(1, Math.min(1000, Math.round(turnMs / ms)));
    turns.push({ runs, untimed: runs > 0 && ms < steadyMs ? 1 : 0 });
    while (runs > 0 && performance.now() - from < 4 * turnMs) await contender.run(runs);
  }
  const end = performance.now() + 1000 * seconds * turns.filter(({ runs }) => runs > 0).length;
  for (let round = 0; round < fewestRounds || performance.now() < end; round++) {
    await between();
    for (const [i, contender] of contenders.entries()) {
      const { runs = 0, untimed = 0 } = turns[i] ?? {};
      if (runs > 0) times[i]?.push(...(await contender.run(untimed + runs)).slice(untimed));
    }
  }
  return times.map((own) => {
    if (own.length === 0) return undefined;
    own.sort((a, b) => a - b);
    const ms = quantile(own, 0.5);
    return { ms, fastMs: quantile(own, 0.1), spread: (quantile(own, 0.75) - quantile(own, 0.25)) / 2 / ms, runs: own.length };
  });
}
