import { ShapeError } from "../../base/errors.js";
import { checkValue, type Rule, whole } from "../../base/options.js";

/** Queries, keys and values of one head of one sample, on the host. @shape q, k, v [N, headDim] */
export interface Head {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
  readonly headDim: number;
}

/** Rows of an attention map. */
export interface Rows {
  /** Weights of all keys, row after row; each row sums to 1. @shape [rows, N] */
  readonly weights: Float64Array;
  /** Logarithm of the sum of a row's exponentials: a weight is exp(logit - this). @shape [rows] */
  readonly logSums: Float64Array;
}

const numbers: Rule = { text: "a Float64Array", holds: (value) => value instanceof Float64Array };

/** @throws ConfigError, ShapeError when it is no head, or its parts do not fit each other */
export function checkHead(where: string, head: Head): void {
  const { q, k, v, headDim } = Object(head) as Partial<Head>;
  for (const [name, value] of Object.entries({ q, k, v })) checkValue(where, `the head's ${name}`, value, numbers);
  checkValue(where, "headDim", headDim, whole(1));
  if (head.q.length !== head.k.length || head.q.length !== head.v.length || head.q.length % head.headDim !== 0)
    throw new ShapeError(
      `${where}: q, k and v of a head must be [N, ${headDim}] each, got ${head.q.length}, ${head.k.length} and ${head.v.length} numbers.`,
    );
}

/**
 * Some rows of an attention map in float64, softmax(q kᵀ / √headDim): what the whole map would take is never held.
 * @shape q [queries, headDim], k [N, headDim] -> weights [queries, N], logSums [queries]
 * @source Vaswani et al., arXiv 1706.03762
 */
export function softmaxRows(q: Float64Array, k: Float64Array, headDim: number): Rows {
  const [count, keys] = [q.length / headDim, k.length / headDim];
  const scale = 1 / Math.sqrt(headDim);
  const weights = new Float64Array(count * keys);
  const logSums = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = weights.subarray(i * keys, (i + 1) * keys);
    let most = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < keys; j++) {
      let logit = 0;
      for (let c = 0; c < headDim; c++) logit += q[i * headDim + c] * k[j * headDim + c];
      row[j] = logit * scale;
      if (row[j] > most) most = row[j];
    }
    let sum = 0;
    for (let j = 0; j < keys; j++) {
      row[j] = Math.exp(row[j] - most);
      sum += row[j];
    }
    for (let j = 0; j < keys; j++) row[j] /= sum;
    logSums[i] = most + Math.log(sum);
  }
  return { weights, logSums };
}

/** Some rows of a table, one after the other. @shape table [N, width], indices [n] -> [n, width] */
export function gatherRows(table: Float64Array, indices: ArrayLike<number>, width: number): Float64Array {
  const result = new Float64Array(indices.length * width);
  for (let i = 0; i < indices.length; i++) result.set(table.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
  return result;
}

/** Mean of a table's rows. @shape table [n, width] -> [width] */
export function meanRow(table: Float64Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  const count = table.length / width;
  for (let i = 0; i < table.length; i++) mean[i % width] += table[i] / count;
  return mean;
}
