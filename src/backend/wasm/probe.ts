/** How fast loops run on the running engine, by clocks that may be coarse: browsers round theirs, edge runtimes stop theirs. */

/** @units ms */
export type Clock = () => number;
const ownClock: Clock = () => performance.now();

/** Does so many repeats and returns the operations that was. */
export type Loop = (repeats: number) => number;

/** How often a clock is read to see it move: some 5 ms. */
const mostReads = 100_000;

/** The smallest step of a clock; infinite where it does not move while it is looked at.
 *  @units ms */
export function clockStep(clock: Clock = ownClock): number {
  let step = Number.POSITIVE_INFINITY;
  let last = clock();
  let moves = 0;
  for (let reads = 0; reads < mostReads && moves < 3; reads++) {
    const time = clock();
    if (time === last) continue;
    step = Math.min(step, Math.abs(time - last));
    last = time;
    moves++;
  }
  return step;
}

/** Steps of the clock in a timed slice at least: what a step more or less changes of it. */
const stepsPerSlice = 32;
/** Repeats in the first slice: of tiles some 20 µs. */
const firstRepeats = 40;
/** Where so many repeats take no time, the clock stands still. */
const mostRepeats = firstRepeats << 14;

/**
 * The best rate of many short slices: whatever else the machine does only makes them slower.
 * @param ms how long to measure; longer where the clock's steps are too long for that
 * @units operations a ns (GFLOP/s); NaN where the clock is too coarse
 */
export function bestRate(loop: Loop, ms: number, clock: Clock = ownClock): number {
  const least = stepsPerSlice * clockStep(clock);
  return least < Number.POSITIVE_INFINITY ? new Timed(loop, least, clock).measure(ms) : Number.NaN;
}

/** A loop that is timed again and again. */
class Timed {
  /** The best rate so far; of the time before the engine has compiled it well, a bad one. */
  best = Number.NaN;
  private repeats = firstRepeats;

  constructor(
    private readonly loop: Loop,
    private readonly least: number,
    private readonly clock: Clock,
  ) {}

  /** Times slices for so long, and one at least. */
  measure(ms: number): number {
    const { loop, least, clock } = this;
    const end = clock() + ms;
    for (let seen = false; this.repeats <= mostRepeats; ) {
      const from = clock();
      const done = loop(this.repeats);
      const to = clock();
      // A slice that seems too short says nothing; later ones are as long, so that being held up makes none count that would not.
      if (to - from < least) this.repeats *= 2;
      else {
        const rate = done / (to - from) / 1e6;
        if (!(rate <= this.best)) this.best = rate;
        seen = true;
      }
      if (seen && to >= end) break;
    }
    return this.best;
  }
}

/** Two loops timed in turns, the best of each. @units GFLOP/s */
export interface Race {
  readonly rates: readonly [first: number, second: number];
  readonly secondWins: boolean;
}

export interface RaceRules {
  /** How much faster the second must be. */
  readonly lead: number;
  /** How long to wait for the second to win. @units ms */
  readonly patience: number;
  /** Longest slice: together with the clock's step, what can be told apart. @units ms */
  readonly longestSlice: number;
}

/** The engine compiles a loop better only after it has run for a while: run it until then. @units ms */
const warmMs = 8;
const turnMs = 0.5;
/** Turns that each has at least, and those after which a win counts: nobody is held up in all of them. */
const [leastTurns, sureTurns] = [6, 24];

/**
 * Times two loops in turns until the second has won, or patience ends.
 * @returns undefined where the clock is too coarse to tell
 */
export function race(first: Loop, second: Loop, rules: RaceRules, clock: Clock = ownClock): Race | undefined {
  const least = stepsPerSlice * clockStep(clock);
  if (!(least <= rules.longestSlice)) return undefined;
  // Either slice may be a step longer than it seems.
  const lead = rules.lead * (1 + 2 / stepsPerSlice);
  const [a, b] = [new Timed(first, least, clock), new Timed(second, least, clock)];
  for (const timed of [a, b]) timed.measure(warmMs);
  const end = clock() + rules.patience;
  const wins = () => b.best > lead * a.best;
  for (let turns = 0; wins() ? turns < sureTurns : turns < leastTurns || clock() < end; turns++) {
    a.measure(turnMs);
    b.measure(turnMs);
  }
  return { rates: [a.best, b.best], secondWins: wins() };
}
