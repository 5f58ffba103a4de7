/** 8-bit floats as bit patterns. All their numbers are exact in float32. */

/** How a type of 8-bit floats is laid out: sign, exponent, fraction. */
interface Layout {
  readonly fractionBits: number;
  readonly bias: number;
  /** What the patterns that are no ordinary number mean. */
  readonly special: "ieee" | "nan only at the top" | "nan at minus zero";
}

/** @source "FP8 Formats for Deep Learning" (Micikevicius et al., 2022); the fnuz types as in ONNX, "Float stored in 8 bits" */
const layouts = {
  F8_E5M2: { fractionBits: 2, bias: 15, special: "ieee" },
  F8_E4M3: { fractionBits: 3, bias: 7, special: "nan only at the top" },
  F8_E5M2FNUZ: { fractionBits: 2, bias: 16, special: "nan at minus zero" },
  F8_E4M3FNUZ: { fractionBits: 3, bias: 8, special: "nan at minus zero" },
} as const satisfies Record<string, Layout>;

/** Types of 8-bit floats; E8M0 are powers of two, the scales of block formats. */
export type Float8Type = keyof typeof layouts | "F8_E8M0";

/** Numbers of 8-bit float patterns. */
export function decodeFloat8(type: Float8Type, bits: Uint8Array): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, pattern) =>
    // @source OCP Microscaling Formats (MX) 1.0, section 5.4.1
    type === "F8_E8M0" ? (pattern === 255 ? Number.NaN : 2 ** (pattern - 127)) : numberOf(pattern, layouts[type]),
  );
  return Float32Array.from(bits, (pattern) => table[pattern]);
}

function numberOf(pattern: number, { fractionBits, bias, special }: Layout): number {
  const size = pattern & 0x7f;
  const sign = pattern & 0x80 ? -1 : 1;
  const exponent = size >> fractionBits;
  const fraction = size & (2 ** fractionBits - 1);
  if (special === "nan at minus zero" && pattern === 0x80) return Number.NaN;
  if (special === "nan only at the top" && size === 0x7f) return Number.NaN;
  if (special === "ieee" && exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (2 ** fractionBits + fraction) * 2 ** (exponent - bias - fractionBits);
}
