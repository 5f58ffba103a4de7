import { ShapeError } from "../base/errors.js";
import { show } from "../base/options.js";
import { type Shape, sameShape, showShape, sizeOf } from "../base/shape.js";

/** Numbers on the host, in row-major order. */
export type HostArray = Float32Array | Float64Array | Int32Array;

/** How long `body` takes on this thread. */
export function millisecondsOf(body: () => void): number {
  const from = performance.now();
  body();
  return performance.now() - from;
}

/** Numbers as people write them down: a row of them, or rows within rows, all of one length. */
export type NestedNumbers = ArrayLike<number> | readonly NestedNumbers[];

export const isHostArray = (value: unknown): value is HostArray =>
  value instanceof Float32Array || value instanceof Float64Array || value instanceof Int32Array;

type Row = ArrayLike<unknown>;
const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && Number.isInteger((value as Partial<Row>).length);

/** Deepest nesting; an array that holds itself has no bottom. */
const deepest = 16;

/**
 * Numbers that somebody gave, as one array, and the shape that their nesting has. Typed arrays of the engine's kinds stay as they
 * are; rows of int32 make int32.
 * @shape data [...] -> as many numbers, row-major
 * @throws ShapeError when something is not a number, or rows differ in length
 */
export function hostNumbers(where: string, data: unknown): { readonly data: HostArray; readonly shape: number[] } {
  if (typeof data === "number") return { data: Float64Array.of(data), shape: [] };
  if (!isRow(data)) throw new ShapeError(`${where}: expected numbers, got ${show(data)}. Give an array of numbers.`);
  if (isHostArray(data)) return { data, shape: [data.length] };
  const shape: number[] = [];
  let [corner, whole]: [unknown, boolean] = [data, false];
  while (isRow(corner)) {
    if (shape.push(corner.length) > deepest) throw new ShapeError(`${where}: arrays are nested deeper than ${deepest}.`);
    whole = corner instanceof Int32Array;
    corner = corner[0];
  }
  const result = whole ? new Int32Array(sizeOf(shape)) : new Float64Array(sizeOf(shape));
  const last = shape.length - 1;
  let at = 0;
  const place: number[] = [];
  const fill = (row: unknown, axis: number): void => {
    if (!isRow(row) || row.length !== shape[axis] || (whole && axis === last && !(row instanceof Int32Array))) {
      throw new ShapeError(
        `${where}: rows must be alike: element ${showShape(place)} has ${isRow(row) ? `${row.length} elements` : show(row)}, ` +
          `the first of its axis ${shape[axis]} elements.`,
      );
    }
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (axis === last && typeof value === "number") {
        result[at++] = value;
        continue;
      }
      place[axis] = i;
      if (axis === last) throw new ShapeError(`${where}: element ${showShape(place)} is ${show(value)}, expected a number.`);
      fill(value, axis + 1);
    }
    place.length = axis;
  };
  fill(data, 0);
  return { data: result, shape };
}

/** Numbers for a given shape: rows within rows must be of that shape; a plain row is cut into it.
 *  @shape data [...shape], or as many numbers in a row -> as many numbers, row-major
 *  @throws ShapeError when their count or nesting differs, or something is not a number */
export function numbersFor(where: string, given: unknown, shape: Shape): HostArray {
  const { data, shape: own } = hostNumbers(where, given);
  if (own.length > 1 && !sameShape(own, shape)) {
    throw new ShapeError(`${where}: the arrays are nested as ${showShape(own)}, where ${showShape(shape)} is needed.`);
  }
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${where} ${showShape(shape)} needs ${sizeOf(shape)} numbers, got ${data.length}.`);
  }
  return data;
}
