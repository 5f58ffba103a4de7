/** Which of several devices to take, by what each did with a step: the decision alone, without the measuring. */

/** What a device did with a step. */
export interface Trial {
  readonly name: string;
  /** What a step took; left out where none was timed. @units ms */
  readonly ms?: number;
  /** Why none could be. */
  readonly without?: string;
}

/** A device by its name, and why. */
export interface Choice {
  readonly name: string;
  /** In a few words, as `31 ms a step, webgpu 55 ms`. */
  readonly why: string;
}

/** A time as people compare it. */
const shown = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;

/** What a person may wonder at where two devices were timed. */
const gain = "a GPU gains little on a model as small as nano, and much from small up";

/** The fastest of those that were timed; the first where none was. */
export function choose(trials: readonly [Trial, ...Trial[]]): Choice {
  const [first] = trials;
  const timed = trials.flatMap(({ name, ms }) => (ms === undefined ? [] : [{ name, ms }])).sort((a, b) => a.ms - b.ms);
  const [best, ...slower] = timed;
  const times = best ? [`${shown(best.ms)} a step`, ...slower.map(({ name, ms }) => `${name} ${shown(ms)}`)].join(", ") : [];
  const reasons = trials.flatMap(({ without }) => without ?? []);
  return { name: (best ?? first).name, why: [times, slower.length > 0 ? gain : [], reasons].flat().join("; ") };
}
