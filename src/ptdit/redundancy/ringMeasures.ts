import { ShapeError } from "../../base/errors.js";
import { checkValue, type Rule, whole } from "../../base/options.js";
import { lastNearRing } from "./rings.js";

/** How far some rows of an attention map agree, ring by ring. NaN: the rows have no weight there. */
export interface RingMeasures {
  /** D: Σ (A_ij - Ā_j)² / Σ A_ij² over rows i and keys j of the ring.  @units 0: equal rows .. 1 - 1/rows: nothing in common */
  readonly spread: readonly number[];
  /** J: Jensen-Shannon divergence of what the rows say within the ring, weighed by their masses there, over ln rows.  @units 0 .. 1 */
  readonly divergence: readonly number[];
  /** C: mean cosine of two rows.  @units 0 .. 1: equal but for their length */
  readonly cosine: readonly number[];
  /** m: mean weight of the ring.  @units sums to 1 */
  readonly mass: readonly number[];
  /** D of the near rings together, and of the others. */
  readonly near: number;
  readonly far: number;
}

const numbers: Rule = { text: "a Float64Array", holds: (value) => value instanceof Float64Array };
const integers: Rule = { text: "an Int32Array", holds: (value) => value instanceof Int32Array };

/**
 * Measures rows of an attention map by the rings of their keys. The divergences obey the chain rule of entropy: H(Ā) - mean H(A_i) is
 * the same of the rows' masses, and Σ m_r J_r ln rows.
 * @shape weights [rows, N], ring [N] of numbers below `count`
 * @throws ShapeError when the weights are not rows of so many keys, or a ring is not below `count`
 * @source the claim is Qihoo-T2X (arXiv 2409.04005), section 3.1, which has one picture of it; the measures are ours
 */
export function ringMeasures(weights: Float64Array, ring: Int32Array, count: number): RingMeasures {
  checkValue("ringMeasures", "the weights", weights, numbers);
  checkValue("ringMeasures", "the rings", ring, integers);
  checkValue("ringMeasures", "the count of rings", count, whole(1, 2 ** 20));
  const keys = ring.length;
  const rows = weights.length / keys;
  if (!(Number.isInteger(rows) && rows > 0) || ring.some((r) => r < 0 || r >= count))
    throw new ShapeError(
      `ringMeasures: weights must be rows of ${keys} keys whose rings are below ${count}, got ${weights.length} numbers and rings up to ${ring.reduce((most, r) => Math.max(most, r), 0)}.`,
    );
  const mean = new Float64Array(keys);
  const [deviations, squares] = [new Float64Array(count), new Float64Array(count)];
  const masses = new Float64Array(count * rows);
  const products = new Float64Array(count * rows * rows);
  const column = new Float64Array(rows);
  for (let j = 0; j < keys; j++) {
    const r = ring[j];
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      column[i] = weights[i * keys + j];
      sum += column[i];
      masses[r * rows + i] += column[i];
    }
    mean[j] = sum / rows;
    for (let i = 0; i < rows; i++) {
      const [a, at] = [column[i], (r * rows + i) * rows];
      deviations[r] += (a - mean[j]) ** 2;
      squares[r] += a * a;
      for (let k = i; k < rows; k++) products[at + k] += a * column[k];
    }
  }
  const rings = Array.from({ length: count }, (_, r) => r);
  const ofRing = (table: Float64Array, r: number, size: number) => table.subarray(r * size, (r + 1) * size);
  const mass = rings.map((r) => ofRing(masses, r, rows).reduce((sum, m) => sum + m, 0) / rows);
  const divergences = new Float64Array(count);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < keys; j++) {
      const [a, r] = [weights[i * keys + j], ring[j]];
      // The logarithm of the ratio itself: of equal rows it is exactly 0, where entropies would leave their rounding.
      if (a > 0) divergences[r] += a * Math.log(a / masses[r * rows + i] / (mean[j] / mass[r]));
    }
  }
  const together = (table: Float64Array, near: boolean) =>
    table.reduce((sum, own, r) => (r <= lastNearRing === near ? sum + own : sum), 0);
  return {
    spread: rings.map((r) => deviations[r] / squares[r]),
    divergence: rings.map((r) => divergences[r] / (rows * mass[r] * Math.log(rows))),
    cosine: rings.map((r) => meanCosine(ofRing(products, r, rows * rows), rows)),
    mass,
    near: together(deviations, true) / together(squares, true),
    far: together(deviations, false) / together(squares, false),
  };
}

/** Mean cosine of all pairs of rows that have a direction. @shape products (upper half) [rows, rows] */
function meanCosine(products: Float64Array, rows: number): number {
  let [sum, pairs] = [0, 0];
  for (let i = 0; i < rows; i++) {
    for (let k = i + 1; k < rows; k++) {
      const length = Math.sqrt(products[i * rows + i]) * Math.sqrt(products[k * rows + k]);
      if (length === 0) continue;
      sum += products[i * rows + k] / length;
      pairs++;
    }
  }
  return sum / pairs;
}

/**
 * Mean Jensen-Shannon divergence of pairs of rows, first and second, third and fourth, and so on, over ln 2: of rows drawn anywhere an
 * estimate of the mean of all pairs.
 * @shape weights [rows, keys]
 * @units 0: equal .. 1: no key in common
 * @source redundancy score of Pu et al., arXiv 2408.05710
 */
export function pairDivergence(weights: Float64Array, keys: number): number {
  const pairs = Math.floor(weights.length / keys / 2);
  let sum = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const at = 2 * pair * keys;
    for (let j = 0; j < keys; j++) {
      const [a, b] = [weights[at + j], weights[at + keys + j]];
      if (a > 0) sum += (a / 2) * Math.log((2 * a) / (a + b));
      if (b > 0) sum += (b / 2) * Math.log((2 * b) / (a + b));
    }
  }
  return sum / (pairs * Math.LN2);
}
