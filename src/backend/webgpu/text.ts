/** Pieces of WGSL. */
import type { ElementType } from "../../base/elements.js";
import { DeviceError } from "../../base/errors.js";
import type { LaneValue, Launch, SharedArray, Ways } from "./launches.js";
import { bodies } from "./wgsl.generated.js";

/** What of a dispatch is its kernel's, whatever memory it uses. */
export interface Body extends Pick<Launch, "kind" | "lanes" | "arrays"> {
  /** Elements, or workgroups. */
  readonly count: number;
  /** Whether its lanes must know of their subgroups. */
  readonly bySubgroups?: boolean;
  /** Texts that stand once, however many use them: they know nothing of a kernel. */
  readonly library: readonly string[];
  readonly text: string;
}

/** Files of `wgsl/` that are the same for whoever uses them. */
export const library: ReadonlyMap<string, string> = new Map(["math", "opcodes"].map((file) => [file, bodies[file]]));

/** Functions by which lanes put together what each has, and what of it they see of each other. */
export function laneSums(value: LaneValue, lanes: number, { subgroups }: Ways) {
  const text = bodies[subgroups ? "subgroupSums" : "laneSums"].replace(/\bValue\b/g, value);
  const shares: SharedArray = { name: "shares", type: value, count: lanes };
  return { text, arrays: subgroups ? [shares] : [shares, { ...shares, name: "eighths", count: 8 }] };
}

/** What WGSL calls the elements that kernels use. */
export function numberType(type: ElementType): "f32" | "i32" {
  if (type === "f32" || type === "i32") return type;
  throw new DeviceError(`webgpu: no kernel reads ${type}, which is a fault of the engine.`);
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
