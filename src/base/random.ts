/** Seeded numbers on the host, from the same generator as the devices': for initial weights and orders of samples. */

const [multiplierA, multiplierB, weylA, weylB] = [0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85];

/** One block of Philox4x32-10: four 32-bit words from a 128-bit counter and a 64-bit key.
 *  @source Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  const words = new Uint32Array(4);
  philoxInto(words, ...counter, ...key);
  const [a, b, c, d] = words;
  return [a, b, c, d];
}

/** `philox` without an allocation: weights are drawn by the million. */
function philoxInto(words: Uint32Array, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(multiplierA, c0);
    const high1 = multiplyHigh(multiplierB, c2);
    const low0 = Math.imul(multiplierA, c0);
    const low1 = Math.imul(multiplierB, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + weylA) | 0;
    k1 = (k1 + weylB) | 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/** Upper 32 bits of an unsigned 32 x 32 product. Each sum stays below 2³², so that integer arithmetic is enough. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16);
  const carry = (middle & 0xffff) + Math.imul(aLow, bHigh);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/** 32-bit FNV-1a hash, to turn a name into a stream number. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** `count` uniform numbers in (0, 1), a function of seed and stream alone. */
export function uniformNumbers(count: number, seed: number, stream: number): Float64Array {
  const result = new Float64Array(count);
  const words = new Uint32Array(4);
  for (let i = 0; i < count; i += 4) {
    philoxInto(words, i / 4, stream, 0, 0, seed | 0, Math.floor(seed / 2 ** 32) | 0);
    for (let j = 0; j < 4 && i + j < count; j++) result[i + j] = ((words[j] >>> 9) + 0.5) * 2 ** -23;
  }
  return result;
}

/** `count` standard normal numbers (Box-Muller), a function of seed and stream alone. */
export function normalNumbers(count: number, seed: number, stream: number): Float64Array {
  const uniform = uniformNumbers(count + (count % 2), seed, stream);
  const result = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform[i]));
    const angle = 2 * Math.PI * uniform[i + 1];
    result[i] = radius * Math.cos(angle);
    if (i + 1 < count) result[i + 1] = radius * Math.sin(angle);
  }
  return result;
}
