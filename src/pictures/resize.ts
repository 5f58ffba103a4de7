import { ShapeError } from "../base/errors.js";
import type { Picture } from "./picture.js";

/** The largest square in the middle of a picture. */
export function cropSquare(picture: Picture): Picture {
  const { width, height } = picture;
  const side = Math.min(width, height);
  if (width === height) return picture;
  const left = Math.floor((width - side) / 2);
  const top = Math.floor((height - side) / 2);
  const data = new Uint8Array(side * side * 4);
  for (let row = 0; row < side; row++) {
    const from = ((row + top) * width + left) * 4;
    data.set(picture.data.subarray(from, from + side * 4), row * side * 4);
  }
  return { width: side, height: side, channels: 4, data };
}

/** How much of each source pixel a target pixel covers, along one axis. */
interface Cover {
  readonly from: number;
  readonly weights: readonly number[];
}

/** Target pixel i covers the source from i·scale to (i + 1)·scale. */
function covers(source: number, target: number): Cover[] {
  const scale = source / target;
  return Array.from({ length: target }, (_, i) => {
    const [start, end] = [i * scale, Math.min(source, (i + 1) * scale)];
    const from = Math.floor(start);
    const count = Math.max(1, Math.ceil(end - 1e-9) - from);
    const weights = Array.from(
      { length: count },
      (_, j) => (Math.min(end, from + j + 1) - Math.max(start, from + j)) / (end - start),
    );
    return { from, weights };
  });
}

/**
 * Resizes planar numbers by area averaging: a pixel becomes the mean of what it covers; enlarging repeats pixels.
 *
 * The mean is taken of the stored (gamma) values, not of linear light: the model learns and is measured on stored values,
 * drawings keep the contrast of dark outlines that way, and other tools do the same, so that numbers can be compared.
 * @shape data [channels, height, width] -> [channels, size, size]
 * @throws ShapeError when a size is not positive
 */
export function resizeArea(data: Float32Array, channels: number, width: number, height: number, size: number): Float32Array {
  if (!(width > 0 && height > 0 && size > 0) || data.length !== channels * width * height) {
    throw new ShapeError(
      `resize: cannot make ${channels}x${width}x${height} (${data.length} numbers) ${size} wide. Give positive sizes.`,
    );
  }
  const [columns, rows] = [covers(width, size), covers(height, size)];
  const result = new Float32Array(channels * size * size);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (const row of rows) {
      for (const column of columns) {
        let sum = 0;
        for (let j = 0; j < row.weights.length; j++) {
          const start = (channel * height + row.from + j) * width + column.from;
          let across = 0;
          for (let i = 0; i < column.weights.length; i++) across += column.weights[i] * data[start + i];
          sum += row.weights[j] * across;
        }
        result[at++] = sum;
      }
    }
  }
  return result;
}
