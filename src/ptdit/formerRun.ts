/** A run as files of format 1 describe it, in the words of today's. */
import type { Mixing } from "./mixing.js";

type Json = Readonly<Record<string, unknown>>;

/** What was a switch of the architecture each. */
const switches = ["giim", "tcm", "shiftedWindows", "checkpointing"] as const;

/**
 * Switches become a kind of mixing; checkpointing, which computes the same, goes to the training. What is no run is left as it is.
 * @param refuse throws the error of a rule that is broken
 */
export function fromFormat1(run: Json, refuse: (rule: string) => never): Json {
  const { model, training } = run;
  if (!isRecord(model)) return run;
  for (const name of switches) {
    if (!(name in model)) refuse(`the part "model.${name}" is missing`);
    if (typeof model[name] !== "boolean") refuse(`"model.${name}" must be true or false`);
  }
  if (!("mixing" in model)) return refuse('the part "model.mixing" is missing');
  if (model.mixing !== "proxy" && model.mixing !== "full") return refuse('"model.mixing" must be one of proxy, full');
  const { giim, tcm, shiftedWindows, checkpointing, ...kept } = model;
  const mixing: Mixing = model.mixing === "full" ? "full" : mixingOf(giim === true, tcm === true, shiftedWindows === true);
  return { ...run, model: { ...kept, mixing }, ...(isRecord(training) && { training: { ...training, checkpointing } }) };
}

function mixingOf(giim: boolean, windows: boolean, shifted: boolean): Mixing {
  if (!windows) return giim ? "proxyAlone" : "none";
  if (!shifted) return giim ? "proxyUnshifted" : "windowsUnshifted";
  return giim ? "proxy" : "windows";
}

const isRecord = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
