/** Rows of attention maps that are made by hand. */
import { normalNumbers } from "../../../src/base/random.js";

/** Rows of this many keys, each summing to 1: softmax of the logits. */
export function rowsOf(rows: number, keys: number, logit: (row: number, key: number) => number): Float64Array {
  const weights = new Float64Array(rows * keys);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < keys; j++) sum += weights[i * keys + j] = Math.exp(logit(i, j));
    for (let j = 0; j < keys; j++) weights[i * keys + j] /= sum;
  }
  return weights;
}

/** Independent normal numbers, as a table of rows. */
export function noiseOf(rows: number, columns: number, stream: number): (row: number, column: number) => number {
  const numbers = normalNumbers(rows * columns, 7, stream);
  return (row, column) => numbers[row * columns + column];
}
