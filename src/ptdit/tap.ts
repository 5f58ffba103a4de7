import type { Tensor } from "../autograd/tensor.js";

/** Where intermediate values can be looked at, by name; most runs look at none. */
export interface Tap {
  /** Notes a value and returns it. */
  keep(name: string, value: Tensor): Tensor;
  /** The tap of a part: its names get this prefix. */
  at(prefix: string): Tap;
}

/** Notes nothing. */
export const noTap: Tap = { keep: (_, value) => value, at: () => noTap };

/** Notes every value under its full name. */
export function recordingTap(values: Map<string, Tensor>, prefix = ""): Tap {
  return {
    keep: (name, value) => {
      values.set(prefix + name, value);
      return value;
    },
    at: (part) => recordingTap(values, `${prefix}${part}.`),
  };
}
