import { lastNearRing, type Rings } from "./rings.js";
import { gatherRows, type Head, meanRow, type Rows, softmaxRows } from "./rows.js";

/**
 * What a window's attention output loses when a part of its rows is replaced and the rest kept: the norm of the change over the norm of
 * the output, all tokens of the window together. Near is ring 0 and 1.
 * @units 0: nothing is lost .. 1: as much as there is
 */
export interface OutputErrors {
  /** E_near, E_far: rows replaced by their mean. */
  readonly near: number;
  readonly far: number;
  /** What proxies do in place of the far rows; the four are our definitions. `none`: far keys are not read at all. */
  readonly none: number;
  /** One row a window, that of its mean query: the proxy reads for its tokens. */
  readonly query: number;
  /** Every token reads with its own query, but of each far window the mean key and the mean value: tokens read proxies. */
  readonly keys: number;
  /** Both: the proxy reads proxies. */
  readonly both: number;
}

/** Mean keys and values of all windows. @shape [windows, headDim] each */
export interface PooledHead {
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/** Means of a head's keys and values over each window. */
export function pooledHead({ k, v, headDim }: Head, { members, windows, tokens }: Rings): PooledHead {
  const pooled = (table: Float64Array) => {
    const result = new Float64Array(windows * headDim);
    for (let w = 0; w < windows; w++)
      result.set(meanRow(gatherRows(table, members.subarray(w * tokens, (w + 1) * tokens), headDim), headDim), w * headDim);
    return result;
  };
  return { k: pooled(k), v: pooled(v) };
}

/**
 * Errors of one window. A replaced row keeps its own normaliser: `query` is the softmax of the mean query over all keys, `keys` and `both`
 * that over the near keys as they are and P times the mean key of each far window.
 * @shape q the window's queries [P, headDim], rows their weights [P, N]
 */
export function outputErrors(
  window: number,
  q: Float64Array,
  rows: Rows,
  head: Head,
  pooled: PooledHead,
  rings: Rings,
): OutputErrors {
  const { headDim, k, v } = head;
  const { tokens } = rings;
  const keys = k.length / headDim;
  const ring = rings.ringOf(window);
  const isNear = (j: number) => ring[j] <= lastNearRing;
  const all = contributions(rows.weights, v, headDim, ring);
  const meanQuery = meanRow(q, headDim); // [headDim]
  const proxy = softmaxRows(meanQuery, k, headDim);
  const query = contributions(proxy.weights, v, headDim, ring).far; // [1, headDim]
  const far = Array.from({ length: rings.windows }, (_, w) => w).filter((w) => !isNear(rings.members[w * tokens]));
  const read: PooledReading = { pooled, headDim, far, tokens, nearMass: (weights) => massOf(weights, keys, isNear) };
  const outputs = Float64Array.from(all.near, (near, i) => near + all.far[i]);
  const size = norm(outputs);
  const error = (part: Float64Array, instead: Float64Array) => norm(part.map((x, i) => x - instead[i % instead.length])) / size;
  return {
    near: error(all.near, meanRow(all.near, headDim)),
    far: error(all.far, meanRow(all.far, headDim)),
    none: norm(all.far) / size,
    query: error(all.far, query),
    keys: error(all.far, readPooled(q, rows, read)),
    both: error(all.far, readPooled(meanQuery, proxy, read)),
  };
}

/** What near and far keys give each row. @shape weights [rows, N], v [N, headDim] -> [rows, headDim] each */
function contributions(weights: Float64Array, v: Float64Array, headDim: number, ring: Int32Array) {
  const keys = ring.length;
  const rows = weights.length / keys;
  const [near, far] = [new Float64Array(rows * headDim), new Float64Array(rows * headDim)];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < keys; j++) {
      const weight = weights[i * keys + j];
      const sum = ring[j] <= lastNearRing ? near : far;
      for (let c = 0; c < headDim; c++) sum[i * headDim + c] += weight * v[j * headDim + c];
    }
  }
  return { near, far };
}

/** Weight of the near keys in each row. @shape weights [rows, N] -> [rows] */
function massOf(weights: Float64Array, keys: number, isNear: (key: number) => boolean): Float64Array {
  const masses = new Float64Array(weights.length / keys);
  weights.forEach((weight, at) => {
    if (isNear(at % keys)) masses[Math.floor(at / keys)] += weight;
  });
  return masses;
}

/** What is read of far windows by their means. */
interface PooledReading {
  readonly pooled: PooledHead;
  readonly headDim: number;
  /** The far windows, and tokens of each. */
  readonly far: readonly number[];
  readonly tokens: number;
  /** Weight of the near keys in each row. @shape weights [rows, N] -> [rows] */
  readonly nearMass: (weights: Float64Array) => Float64Array;
}

/** What queries read of the means of far windows. @shape q [rows, headDim] -> [rows, headDim] */
function readPooled(q: Float64Array, { weights, logSums }: Rows, reading: PooledReading): Float64Array {
  const { pooled, headDim, far, tokens, nearMass } = reading;
  const result = new Float64Array(q.length);
  const scale = 1 / Math.sqrt(headDim);
  const near = nearMass(weights);
  for (let i = 0; i < near.length; i++) {
    // In parts of the row's own sum of exponentials.
    const parts = far.map((w) => {
      let logit = 0;
      for (let c = 0; c < headDim; c++) logit += q[i * headDim + c] * pooled.k[w * headDim + c];
      return tokens * Math.exp(logit * scale - logSums[i]);
    });
    const sum = parts.reduce((all, part) => all + part, near[i]);
    far.forEach((w, at) => {
      for (let c = 0; c < headDim; c++) result[i * headDim + c] += (parts[at] / sum) * pooled.v[w * headDim + c];
    });
  }
  return result;
}

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((sum, one) => sum + one * one, 0));
