/** Rows of numbers as whole ones of 8 bits: a quarter of their bytes. */

/** Whole numbers, and what one of them stands for, a row each. */
export interface QuantisedRows {
  /** @shape [rows, width]  @units -127..127 */
  readonly numbers: Int8Array;
  /** @shape [rows] */
  readonly scales: Float32Array;
}

/** -128 stays unused, so that a number and its negative lose the same. */
const largest = 127;

/**
 * The nearest multiples of each row's scale, by which its largest number is 127: no number is off by more than half a scale, 0.4 % of the
 * row's largest.
 * x ≈ scale q
 * @shape x [rows, width], finite
 */
export function quantiseRows(x: ArrayLike<number>, width: number): QuantisedRows {
  const numbers = new Int8Array(x.length);
  const scales = new Float32Array(x.length / width);
  for (let row = 0; row < scales.length; row++) {
    const [from, to] = [row * width, (row + 1) * width];
    let most = 0;
    for (let i = from; i < to; i++) most = Math.max(most, Math.abs(x[i]));
    scales[row] = most / largest;
    // As it is stored: the numbers make up for its rounding.
    const scale = scales[row];
    if (scale === 0) continue;
    // Of the smallest floats the scale itself is rounded by as much as half.
    for (let i = from; i < to; i++) numbers[i] = Math.max(-largest, Math.min(largest, Math.round(x[i] / scale)));
  }
  return { numbers, scales };
}

/** The numbers that quantised rows stand for. @shape numbers [rows, width], scales [rows] -> [rows, width] */
export function dequantiseRows(numbers: ArrayLike<number>, scales: ArrayLike<number>): Float32Array {
  const result = new Float32Array(numbers.length);
  const width = numbers.length / scales.length;
  for (let i = 0; i < result.length; i++) result[i] = numbers[i] * scales[Math.floor(i / width)];
  return result;
}
