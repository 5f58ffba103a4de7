/** Pieces of WGSL. */
import type { Launch } from "./launches.js";

/** What of a dispatch is its kernel's, whatever memory it uses. */
export interface Body {
  readonly launch: Pick<Launch, "kind" | "lanes">;
  /** Elements, or workgroups. */
  readonly count: number;
  /** Texts, one after the other. */
  readonly text: readonly string[];
}

/** A whole number of 32 bits as WGSL writes it. */
export const integer = (value: number): string => ((value | 0) === -(2 ** 31) ? "-2147483647 - 1" : `${value | 0}`);

/** A number as WGSL writes float32. What is not finite has no text there, and is made from its bits as the program runs. */
export function float(value: number): string {
  const own = Math.fround(value);
  if (Number.isNaN(own)) return "not_finite(0x7fc00000u)";
  if (!Number.isFinite(own)) return own > 0 ? "not_finite(0x7f800000u)" : "not_finite(0xff800000u)";
  const text = Object.is(own, -0) ? "-0.0" : `${own}`;
  return /[.e]/.test(text) ? text : `${text}.0`;
}
