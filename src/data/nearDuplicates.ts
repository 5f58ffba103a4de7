import { resizeArea } from "../pictures/resize.js";

/** Side to which pictures are reduced before they are compared: what differs less than that sees is the same drawing. */
const side = 16;

/** Largest mean square difference of two pictures that count as one. Equal emoji differ by 0, the next nearest by 3e-4. */
const tolerance = 1e-5;

/**
 * Which pictures to keep so that no two are nearly the same; of equals, the one that comes first.
 * @shape pictures [3, size, size] each, in -1..1 -> their places in the list, ascending
 */
export function distinctPictures(pictures: readonly Float32Array[], size: number): number[] {
  const prints = pictures.map((picture) => resizeArea(picture, 3, size, size, side));
  const kept: number[] = [];
  prints.forEach((print, i) => {
    if (!kept.some((j) => nearlyEqual(print, prints[j]))) kept.push(i);
  });
  return kept;
}

function nearlyEqual(a: Float32Array, b: Float32Array): boolean {
  const limit = tolerance * a.length;
  let sum = 0;
  // Most pairs part within a few pixels.
  for (let i = 0; i < a.length && sum <= limit; i++) sum += (a[i] - b[i]) ** 2;
  return sum <= limit;
}
