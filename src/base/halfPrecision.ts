/** 16-bit floats as bit patterns: IEEE binary16 ("half") and bfloat16. Writing rounds to nearest, ties to even. */

/** Numbers of binary16 bit patterns. */
export function decodeHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (pattern) => {
    const sign = pattern & 0x8000 ? -1 : 1;
    const exponent = (pattern >> 10) & 0x1f;
    const fraction = pattern & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** Nearest binary16 bit patterns; numbers from 65520 on become infinite. */
export function encodeHalf(values: Float32Array): Uint16Array {
  return Uint16Array.from(bitsOf(values), (bits) => {
    const sign = (bits >>> 16) & 0x8000;
    const size = bits & 0x7fffffff;
    if (size > 0x7f800000) return sign | 0x7e00;
    const exponent = (size >>> 23) - 127;
    // The exponent sits above the fraction, so a carry out of the fraction raises it, up to infinity.
    if (exponent >= 16) return sign | 0x7c00;
    if (exponent >= -14) return sign | roundShift(size - (112 << 23), 13);
    if (exponent >= -25) return sign | roundShift((size & 0x7fffff) | 0x800000, -1 - exponent);
    return sign;
  });
}

/** Numbers of bfloat16 bit patterns. */
export function decodeBrain(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (pattern) => pattern << 16).buffer);
}

/** Nearest bfloat16 bit patterns. */
export function encodeBrain(values: Float32Array): Uint16Array {
  return Uint16Array.from(bitsOf(values), (bits) => {
    // Rounding could carry a NaN into infinity: its upper half is kept, marked as quiet.
    if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
    return roundShift(bits, 16);
  });
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** bits / 2^shift, rounded to nearest, ties to even. */
function roundShift(bits: number, shift: number): number {
  const floor = bits >>> shift;
  const rest = (bits >>> 0) - floor * 2 ** shift;
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && floor % 2 === 1) ? floor + 1 : floor;
}
