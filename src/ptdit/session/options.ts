/** What a session is asked for. */
import { ConfigError } from "../../base/errors.js";
import { checkOptions, object, positive, type Rule, type Rules, whole } from "../../base/options.js";
import { captionKinds } from "../../data/richCaptions.js";
import type { RunSource } from "../dataSource.js";
import type { RunDescription } from "../readCheckpoint.js";

/** Asks a session to stop: an `AbortSignal`, or anything that can tell. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

export interface SessionOptions {
  /** Steps in all. Without them and minutes a resumed run keeps its own, and a new one takes `defaultSteps`. */
  readonly steps?: number;
  /** Train for about this long, from now on. */
  readonly minutes?: number;
  /** Save and stop at this step. */
  readonly stopAt?: number;
  /** Steps between checkpoints, and between samples. */
  readonly saveEvery?: number;
  readonly sampleEvery?: number;
  /** What is drawn; without it some captions of the data set. None: nothing is drawn. */
  readonly prompts?: readonly string[];
  /** Looked at between two steps. */
  readonly signal?: StopSignal;
  /** Without it the data set's own name. */
  readonly source?: RunSource;
  /** Name of the recipe that the run learns by, for those who look at it later; without it what the stored run has. */
  readonly recipe?: string;
  /** What took another value since the run was saved, by name: the log of a resumed run keeps it. */
  readonly changes?: Readonly<Record<string, unknown>>;
}

/** Steps of a run that is given neither steps nor minutes, between checkpoints, and between samples. */
export const [defaultSteps, defaultSaveEvery, defaultSampleEvery] = [2000, 200, 250];

const texts: Rule = {
  text: "a list of texts",
  holds: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
};
const signalRule: Rule = {
  text: "an AbortSignal, or an object that says whether it is `aborted`",
  holds: (value) => typeof Object(value).aborted === "boolean",
};
const sourceRule: Rule = {
  text: `an object with the name of the data set, { data }, and captions, if any, ${captionKinds.join(" or ")}`,
  holds: (value) => {
    const { data, captions = "name", rehearsal = {} } = Object(value);
    return typeof data === "string" && captionKinds.includes(captions) && object.holds(rehearsal);
  },
};

const rules: Rules<SessionOptions> = {
  steps: whole(1),
  minutes: positive,
  stopAt: whole(1),
  saveEvery: whole(1),
  sampleEvery: whole(1),
  prompts: texts,
  signal: signalRule,
  source: sourceRule,
  recipe: { text: "a name", holds: (value) => typeof value === "string" && value !== "" },
  changes: object,
};

/** @throws ConfigError when an option is unknown, against its rule, or at odds with another */
export function checkSession(options: SessionOptions): void {
  checkOptions("session", options, rules);
  if (options.steps !== undefined && options.minutes !== undefined)
    throw new ConfigError(
      `session: steps and minutes both say when to end, got ${options.steps} and ${options.minutes}. Give one of them.`,
    );
}

/** How long a run shall be: steps in all, or 0 and the seconds that are left while it is not known how many fill them. */
export type RunLength = Pick<RunDescription, "steps" | "secondsLeft">;

/** How long a run is by its options; what they leave open a resumed run knows itself.
 *  @throws ConfigError when nothing says it */
export function runLength({ steps, minutes }: Pick<SessionOptions, "steps" | "minutes">, saved?: RunLength): RunLength {
  if (minutes !== undefined) return { steps: 0, secondsLeft: 60 * minutes };
  if (steps !== undefined) return { steps };
  if (!saved) return { steps: defaultSteps };
  if (saved.steps === 0 && saved.secondsLeft === undefined)
    throw new ConfigError("session: the run was given minutes and stopped before it knew its steps. Give minutes or steps.");
  return { steps: saved.steps, ...(saved.secondsLeft !== undefined && { secondsLeft: saved.secondsLeft }) };
}
