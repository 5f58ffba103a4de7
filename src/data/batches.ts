import { ConfigError } from "../base/errors.js";
import { philox } from "../base/random.js";

/**
 * Which samples make the batch of a step: a function of its arguments alone, so that a run resumed at any step goes on as if
 * it had never stopped. Every sample comes once an epoch, in another order each time; batches run across the border of epochs.
 * @shape -> [batchSize], numbers in 0..count-1
 * @throws ConfigError when count or batchSize is not a positive whole number, or step is not a whole number from 0
 */
export function batchIndices(count: number, batchSize: number, seed: number, step: number): Int32Array {
  const whole = Number.isSafeInteger(count) && Number.isSafeInteger(batchSize) && Number.isSafeInteger(step * batchSize);
  if (!whole || count < 1 || batchSize < 1 || step < 0) {
    throw new ConfigError(
      `batches: count and batch size must be whole numbers from 1, step from 0; got ${count}, ${batchSize}, ${step}.`,
    );
  }
  return samplesFrom(step * batchSize, batchSize, count, seed);
}

/** The samples from a position on, counted over all epochs. @shape -> [length], numbers in 0..count-1 */
export function samplesFrom(from: number, length: number, count: number, seed: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => {
    const position = from + i;
    return shuffled(position % count, count, seed, Math.floor(position / count));
  });
}

/** Enough that orders of few samples, too, look drawn from all there are. */
const rounds = 8;

/**
 * Where a random permutation of 0..count-1 sends `place`, without making the permutation. A Feistel network permutes the
 * places of a square that holds them; a place that lands outside goes through again until it lands inside.
 * @source Black and Rogaway, "Ciphers with arbitrary finite domains", 2002: generalised Feistel and cycle walking
 */
function shuffled(place: number, count: number, seed: number, epoch: number): number {
  const side = Math.ceil(Math.sqrt(count));
  const key: [number, number] = [seed | 0, Math.floor(seed / 2 ** 32) | 0];
  let at = place;
  do {
    let [row, column] = [Math.floor(at / side), at % side];
    for (let round = 0; round < rounds; round++) {
      const [noise] = philox([column, round, epoch % 2 ** 32, Math.floor(epoch / 2 ** 32)], key);
      [row, column] = [column, (row + noise) % side];
    }
    at = row * side + column;
  } while (at >= count);
  return at;
}
