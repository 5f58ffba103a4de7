/** How fast a run goes, how long it will still take, and how many steps fill the time it was given. */

export interface PaceOptions {
  /** Steps taken, and steps in all: 0 where the time decides. */
  readonly step: number;
  readonly steps: number;
  /** Seconds to train for, where the time decides. */
  readonly secondsLeft?: number | undefined;
  /** Steps between what is done beside them. */
  readonly every: { readonly save: number; readonly sample: number };
  /** A clock. @units seconds */
  readonly now?: () => number;
}

/** When a given time becomes a number of steps: a first guess while the engine warms up, then better ones, the last after the
 *  first grid has been drawn; each after so many steps or this part of the time. The rate is still at its height then, so a new
 *  total changes only when it will fall. */
const layOuts = [
  { steps: 30, part: 0.1 },
  { steps: 100, part: 0.25 },
  { steps: 260, part: 0.5 },
] as const;
/** Steps whose times are not believed: the engine is still compiling. */
const warmUp = 3;
/** Steps that tell it well enough to speak of it, or these seconds of them. */
const [fewSteps, fewSeconds] = [10, 10];
/** Recent steps that tell the pace. */
const recentSteps = 60;
/** What a grid of samples takes before one has been drawn: 16 pictures in 30 guided steps, about this many training steps. */
const gridSteps = 20;
/** Part of the time that is laid out; the rest is for what nobody foresees. */
const share = 0.98;
/** A slower pace is shown as more time left only when it is so much slower, and this many seconds; less is noise. */
const [noise, noiseSeconds] = [1.25, 5];

export class Pace {
  /** Steps in all; 0 until the given time is known in steps. */
  steps: number;
  private step: number;
  private readonly begin: { readonly time: number; readonly step: number };
  private readonly now: () => number;
  private mark: number;
  private beside = 0;
  private readonly recent: number[] = [];
  private readonly costs: { save: number; sample: number | undefined } = { save: 0, sample: undefined };
  private laidOut = 0;
  private shown: { readonly left: number; readonly step: number } | undefined;

  constructor(private readonly options: PaceOptions) {
    this.now = options.now ?? (() => performance.now() / 1000);
    this.mark = this.now();
    this.begin = { time: this.mark, step: options.step };
    this.steps = options.steps;
    this.step = options.step;
  }

  /** Notes that a step has ended while others were in flight, which will be taken too. Returns whether the number of steps was set anew. */
  stepped(inFlight = 0): boolean {
    const now = this.now();
    this.step++;
    this.recent.push(now - this.mark - this.beside);
    if (this.taken === warmUp + 1) this.recent.splice(0, warmUp);
    if (this.recent.length > recentSteps) this.recent.shift();
    this.mark = now;
    this.beside = 0;
    return this.layOut(inFlight);
  }

  /** Does something between two steps, and notes what it takes. */
  async aside<T>(kind: "save" | "sample", body: () => Promise<T>): Promise<T> {
    const from = this.now();
    try {
      return await body();
    } finally {
      const seconds = this.now() - from;
      this.costs[kind] = seconds;
      this.beside += seconds;
    }
  }

  /** Seconds since the run went on, and steps since then. */
  get elapsed(): number {
    return this.now() - this.begin.time;
  }
  get taken(): number {
    return this.step - this.begin.step;
  }

  /** @units seconds; 0 before the first step */
  get perStep(): number {
    return this.recent.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, this.recent.length);
  }

  /** What is left of a given time while it is not known in steps. @units seconds */
  get secondsLeft(): number | undefined {
    return this.steps === 0 ? this.timeLeft : undefined;
  }

  /** Time left as one may show it: it does not grow, unless the pace really slows down. What was shown too low goes on in
   *  proportion to the work that is left, so that it ends with the run. @units seconds; undefined: not known yet */
  left(): number | undefined {
    const { shown, step, timeLeft } = this;
    // Until all is laid out, the given time is what is known.
    if (timeLeft !== undefined && this.laidOut < layOuts.length) {
      this.shown = { left: timeLeft, step };
      return timeLeft;
    }
    if (this.steps === 0 || !this.isKnown) return undefined;
    const estimate = this.work(step);
    const held = shown ? (shown.left * estimate) / Math.max(this.work(shown.step), Number.EPSILON) : estimate;
    const left = estimate < held || estimate > held * noise + noiseSeconds ? estimate : held;
    this.shown = { left, step };
    return left;
  }

  private get timeLeft(): number | undefined {
    const { secondsLeft } = this.options;
    return secondsLeft === undefined ? undefined : Math.max(0, secondsLeft - this.elapsed);
  }

  /** What the steps after `step` and all beside them take at the present pace. @units seconds */
  private work(step: number): number {
    const { save, sample } = this.options.every;
    // The last grid and checkpoint come at the end, whatever the step.
    const times = (every: number) =>
      Math.floor(this.steps / every) - Math.floor(step / every) + (this.steps % every > 0 ? 1 : 0);
    return (this.steps - step) * this.perStep + times(sample) * this.gridCost + times(save) * this.costs.save;
  }

  private get isKnown(): boolean {
    const { length } = this.recent;
    return length >= fewSteps || (length >= warmUp && length * this.perStep >= fewSeconds);
  }

  private get gridCost(): number {
    return this.costs.sample ?? gridSteps * this.perStep;
  }

  private layOut(inFlight: number): boolean {
    const { timeLeft } = this;
    const { secondsLeft = 0, every } = this.options;
    if (timeLeft === undefined || this.options.steps > 0) return false;
    const due = layOuts.filter(({ steps, part }) => this.taken >= steps || this.elapsed >= part * secondsLeft).length;
    if (due <= this.laidOut) return false;
    this.laidOut = due;
    const perStep = this.perStep + this.gridCost / every.sample + this.costs.save / every.save;
    const fit = Math.floor((timeLeft * share - this.gridCost - this.costs.save) / perStep);
    this.steps = this.step + Math.max(1, inFlight, fit);
    return true;
  }
}
