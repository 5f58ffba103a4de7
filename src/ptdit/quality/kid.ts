/** Whether samples, taken together, look as real pictures do. */
import { ConfigError } from "../../base/errors.js";
import { checkOptions, checkValue, type Rule, type Rules, seedRule, whole } from "../../base/options.js";
import { hashName, uniformNumbers } from "../../base/random.js";
import { quantile } from "../quantile.js";

/** How far the features of samples are from those of real pictures. */
export interface Kid {
  /** Pairs of a real picture and a sample. */
  readonly pairs: number;
  /** Squared distance of the two distributions, without bias: about 0 where they are the same, by chance below it; below it too where
   *  samples are the real pictures of others. */
  readonly value: number;
  /** Where 95 of 100 estimates lie that are made of as many pairs, drawn from these with replacement. */
  readonly interval: readonly [low: number, high: number];
  /** Real against real: 95 of 100 random halvings of the real pictures have a smaller distance. So much comes of which pictures there are;
   *  halves are half as many, so it is rather too high than too low. */
  readonly floor: number;
}

export interface KidOptions {
  /** Of the draws: the same seed, the same interval and floor. 0 if not given. */
  readonly seed?: number;
  /** Draws for the interval, and halvings for the floor; 200 if not given. */
  readonly draws?: number;
}
const optionRules: Rules<KidOptions> = { seed: seedRule, draws: whole(20) };

/** Fewest pairs: halves of them need two each. */
export const leastPairs = 4;

/** Features, a list of numbers each. */
type Features = readonly ArrayLike<number>[];

/**
 * Kernel distance by the kernel of KID, k(x, y) = (x·y / d + 1)³, in float64, of pairs that share what they show:
 *   the mean over i ≠ j of k(xᵢ, xⱼ) + k(yᵢ, yⱼ) - k(xᵢ, yⱼ) - k(xⱼ, yᵢ).
 * No picture meets its own sample, so a model that draws its training pictures again comes to 0, not below. It is the KID of the paper in
 * all but the network: figures compare with those of the same features alone, not with published ones, which are Inception's.
 * @shape real, samples n of [d] each; real[i] is what samples[i] was to show
 * @throws ConfigError when there are fewer than `leastPairs`, the lists are not as long as each other, or a number is not finite
 * @source Bińkowski et al., arXiv 1801.01401 (the kernel); Gretton et al., JMLR 13, 2012, eq. 4 (the estimator, for pairs)
 */
export function kid(real: Features, samples: Features, options: KidOptions = {}): Kid {
  checkOptions("kid", options, optionRules);
  checkFeatures("the real pictures", real);
  checkFeatures("the samples", samples);
  const n = real.length;
  if (samples.length !== n || samples[0].length !== real[0].length)
    throw new ConfigError(
      `kid: every sample is held against a real picture, got ${n} of ${real[0].length} numbers and ${samples.length} of ${samples[0].length}. Give the picture that each sample was to show.`,
    );
  const { seed = 0, draws = 200 } = options;
  const among = kernels(real, real); // [n, n]
  const between = kernels(real, samples); // [n, n]
  const h = kernels(samples, samples); // [n, n]
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) h[i * n + j] += among[i * n + j] - between[i * n + j] - between[j * n + i];
  const resampled = Array.from({ length: draws }, (_, draw) =>
    // A draw is a count of each pair; one that has but a single pair has no distance, and n ≥ 4 makes it rarer than 1 in 60.
    weightedMean(h, drawnCounts(n, seed, draw)),
  ).filter(Number.isFinite);
  const halved = Array.from({ length: draws }, (_, draw) => halvesApart(among, shuffled(n, seed, draw)));
  return {
    pairs: n,
    value: weightedMean(h, new Uint32Array(n).fill(1)),
    interval: [quantile(resampled, 0.025), quantile(resampled, 0.975)],
    floor: quantile(halved, 0.95),
  };
}

const featuresRule: Rule = {
  text: `a list of at least ${leastPairs} lists of finite numbers, all as long as each other`,
  holds: (value) =>
    Array.isArray(value) &&
    value.length >= leastPairs &&
    value.every(
      (one) => Object(one).length > 0 && one.length === value[0].length && Array.prototype.every.call(one, Number.isFinite),
    ),
};

/** @throws ConfigError when they are none */
function checkFeatures(what: string, features: Features): void {
  const length = Object(features).length;
  // A list alone would be told by its length, which is not what is wrong with it.
  if (Array.isArray(features) && length < leastPairs)
    throw new ConfigError(`kid: ${what} are ${length}, at least ${leastPairs} are needed. Draw more samples.`);
  checkValue("kid", what, features, featuresRule);
}

/** k of every two.  @shape a, b n of [d] -> [n, n] */
function kernels(a: Features, b: Features): Float64Array {
  const n = a.length;
  const d = a[0].length;
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const x = a[i];
    for (let j = 0; j < n; j++) {
      const y = b[j];
      let sum = 0;
      for (let l = 0; l < d; l++) sum += x[l] * y[l];
      result[i * n + j] = (sum / d + 1) ** 3;
    }
  }
  return result;
}

/** Mean of a symmetric matrix over i ≠ j, every i as often as it was drawn: a pair that was drawn twice does not meet itself either.
 *  @shape h [n, n], counts [n] */
function weightedMean(h: Float64Array, counts: Uint32Array): number {
  const n = counts.length;
  const drawn = [...counts.keys()].filter((i) => counts[i] > 0);
  let [sum, weight, before] = [0, 0, 0];
  for (const [place, i] of drawn.entries()) {
    let row = 0;
    for (let at = 0; at < place; at++) row += counts[drawn[at]] * h[i * n + drawn[at]];
    sum += counts[i] * row;
    weight += counts[i] * before;
    before += counts[i];
  }
  return sum / weight;
}

/** How often each of n is among n draws with replacement. */
function drawnCounts(n: number, seed: number, draw: number): Uint32Array {
  const counts = new Uint32Array(n);
  for (const part of uniformNumbers(n, seed, hashName(`kid bootstrap ${draw}`))) counts[Math.floor(part * n)]++;
  return counts;
}

/** The numbers 0..n-1 in a random order. */
function shuffled(n: number, seed: number, draw: number): number[] {
  const keys = uniformNumbers(n, seed, hashName(`kid halves ${draw}`));
  return [...keys.keys()].sort((i, j) => keys[i] - keys[j]);
}

/** The distance of two halves, of which each has every second of `order`.  @shape k [n, n] */
function halvesApart(k: Float64Array, order: readonly number[]): number {
  const n = order.length;
  const m = Math.floor(n / 2);
  let sum = 0;
  for (let i = 0; i < m; i++) {
    const [a, b] = [order[2 * i] * n, order[2 * i + 1] * n];
    for (let j = 0; j < i; j++) {
      const [c, d] = [order[2 * j], order[2 * j + 1]];
      sum += k[a + c] + k[b + d] - k[a + d] - k[b + c];
    }
  }
  return sum / ((m * (m - 1)) / 2);
}
