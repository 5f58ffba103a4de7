/** Derivatives by central differences in float64, and how far they can be trusted. */

/** A numeric derivative. */
export interface Difference {
  readonly value: number;
  /** What it may be off by: two derivatives that are nearer to each other cannot be told apart. */
  readonly resolution: number;
  /** Whether any value moved. */
  readonly moved: boolean;
}

/** Values of a function at an offset from a point; always as many. */
export type Along = (offset: number) => Promise<ArrayLike<number>>;

const unitRoundoff = 2 ** -53;
/** Roundings that a value which moves is taken to have gone through; one that stands still may have lost less than one. */
const roundings = 8;
/** Sum of the coefficients below: what the error of every value is multiplied by, and divided by the step. */
const amplification = (8 + 8 + 1 + 1) / 12;

/**
 * The derivative at 0 of Σ weight·value, as the sum of the values' own derivatives: what does not move drowns nothing.
 * Fourth-order differences: (8(f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h.
 * @shape weights [n], along(offset) [n]
 */
export async function difference(along: Along, weights: ArrayLike<number>, step: number): Promise<Difference> {
  const [up, down, up2, down2] = [await along(step), await along(-step), await along(2 * step), await along(-2 * step)];
  const sum = new Sum();
  let [moving, still] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    const [weight, a, b, c, d] = [weights[i], up[i], down[i], up2[i], down2[i]] as [number, number, number, number, number];
    sum.add((weight * (8 * (a - b) - (c - d))) / (12 * step));
    const size = Math.abs(weight) * Math.max(Math.abs(a), Math.abs(b), Math.abs(c), Math.abs(d));
    if (a === b && a === c && a === d) still += size;
    else moving += size;
  }
  const error = unitRoundoff * (roundings * moving + still);
  return { value: sum.total, resolution: (error * amplification) / step, moved: moving > 0 };
}

/** Steps of `finestDifference`, as powers of 4, and the widest. */
const powers = Array.from({ length: 12 }, (_, i) => i - 6);
const widest = 4 ** powers[powers.length - 1];

/** Offsets at which a function moves in a straight line, and rounding shows; beside them even the smallest step is wide. */
const tiny = [1, 2, 3, 4].map((count) => count * 2 ** -20);

/** Σ |weight|·spread of values on a straight line, which f(h) + f(-h) takes out: what rounding within the function makes of them. */
async function noise(along: Along, weights: ArrayLike<number>, step: number): Promise<number> {
  const sums: Float64Array[] = [];
  for (const offset of tiny) {
    const [up, down] = [await along(step * offset), await along(-step * offset)];
    sums.push(Float64Array.from(up, (value, i) => value + down[i]));
  }
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const values = sums.map((sum) => sum[i]);
    total += Math.abs(weights[i]) * (Math.max(...values) - Math.min(...values));
  }
  return total;
}

/**
 * The difference with the step that serves best, around `step`: larger ones round less and truncate more. A step is trusted as far as
 * it agrees with the one before.
 */
export async function finestDifference(along: Along, weights: ArrayLike<number>, step: number): Promise<Difference> {
  const spread = (await noise(along, weights, step)) * amplification;
  const all: Difference[] = [];
  for (const power of powers) {
    const width = step * 4 ** power;
    const own = await difference(along, weights, width);
    all.push({ ...own, resolution: Math.max(own.resolution, spread / width) });
  }
  const rated = all.slice(1).map((own, i): Difference => {
    const apart = Math.abs(own.value - all[i].value);
    return { ...own, resolution: Number.isFinite(apart) ? Math.max(own.resolution, apart) : Number.POSITIVE_INFINITY };
  });
  const best = rated.reduce((a, b) => (b.resolution < a.resolution ? b : a));
  return Number.isFinite(best.resolution) ? best : all[powers.indexOf(0)];
}

/** Whether the values move within the widest step: a derivative that is too small for a narrow one may be there all the same. */
export const movesFar = async (along: Along, weights: ArrayLike<number>, step: number): Promise<boolean> =>
  (await difference(along, weights, step * widest)).moved;

/** A sum that keeps what additions round away.
 *  @source Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974 */
class Sum {
  private sum = 0;
  private lost = 0;

  get total(): number {
    return this.sum + this.lost;
  }

  add(value: number): void {
    const next = this.sum + value;
    this.lost += Math.abs(this.sum) >= Math.abs(value) ? this.sum - next + value : value - next + this.sum;
    this.sum = next;
  }
}
