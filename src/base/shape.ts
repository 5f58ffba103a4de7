import { ShapeError } from "./errors.js";
import { show } from "./options.js";

/** Sizes of a tensor's axes, outermost first; [] is a single number. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[2, 64, 96]`, as errors print it. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Size of the last axis; 1 for a single number. */
export const lastOf = (shape: Shape): number => shape.at(-1) ?? 1;

/** Refuses anything but whole, positive sizes.
 *  @throws ShapeError naming `where` and the first bad axis */
export function checkShape(shape: Shape, where: string): void {
  if (!Array.isArray(shape)) throw new ShapeError(`${where}: a shape is an array of sizes, e.g. [2, 3]; got ${show(shape)}.`);
  for (const [axis, size] of shape.entries()) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(
        `${where}: every axis must be a positive whole number; axis ${axis} of ${showShape(shape)} is ${show(size)}.`,
      );
    }
  }
}

/** The common shape of elementwise operands: axes align from the right, and a size of 1 stretches.
 *  @throws ShapeError when two sizes differ and neither is 1 */
export function broadcastShapes(shapes: readonly Shape[], where: string): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    shape.forEach((size, i) => {
      const axis = i + rank - shape.length;
      if (size === 1) return;
      if (result[axis] !== 1 && result[axis] !== size) {
        throw new ShapeError(
          `${where}: shapes ${shapes.map(showShape).join(" and ")} do not broadcast: axis ${axis - rank} has sizes ` +
            `${result[axis]} and ${size}. Sizes must be equal or 1, aligned from the right.`,
        );
      }
      result[axis] = size;
    });
  }
  return result;
}

/** Axes as sorted numbers from 0; negative ones count from the end.
 *  @throws ShapeError when an axis is outside the shape or named twice */
export function normalizeAxes(axes: number | readonly number[], rank: number, where: string): number[] {
  const given: unknown = axes;
  if (typeof given !== "number" && !Array.isArray(given))
    throw new ShapeError(`${where}: an axis is a number, axes an array of them; got ${show(given)}.`);
  const list = (typeof axes === "number" ? [axes] : [...axes]).map((axis) => (axis < 0 ? axis + rank : axis));
  for (const axis of list) {
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank) {
      throw new ShapeError(`${where}: axis ${axis} is outside a tensor of ${rank} axes. Use ${-rank}..${rank - 1}.`);
    }
  }
  if (new Set(list).size !== list.length)
    throw new ShapeError(`${where}: an axis is named twice in [${list}]. Name each once.`);
  return list.sort((a, b) => a - b);
}

/** Row-major element strides. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] ?? 1;
  }
  return strides;
}

/** Strides with which a tensor of `shape` is read over `domain`: 0 along stretched axes. */
export function broadcastStrides(shape: Shape, domain: Shape): number[] {
  const own = stridesOf(shape);
  const lead = domain.length - shape.length;
  return domain.map((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? 0 : (own[axis - lead] ?? 0)));
}

/**
 * Merges neighbouring axes that every operand walks as one, and drops axes of size 1.
 * `keepApart(axis)` forbids merging `axis` with the axis before it.
 */
export function mergeAxes(
  domain: Shape,
  strides: readonly (readonly number[])[],
  keepApart: (axis: number) => boolean = () => false,
): { domain: number[]; strides: number[][]; from: number[] } {
  const merged: number[] = [];
  const result: number[][] = strides.map(() => []);
  const from: number[] = [];
  domain.forEach((size, axis) => {
    if (size === 1) return;
    const last = merged.length - 1;
    const previous = from[last];
    const apart =
      previous === undefined || Array.from({ length: axis - previous }, (_, i) => keepApart(axis - i)).some(Boolean);
    const joins = !apart && strides.every((own, i) => result[i]?.[last] === (own[axis] ?? 0) * size);
    if (joins) {
      merged[last] = (merged[last] ?? 1) * size;
      from[last] = axis;
    } else {
      merged.push(size);
      from.push(axis);
    }
    strides.forEach((own, i) => {
      const row = result[i];
      row[merged.length - 1] = own[axis] ?? 0;
    });
  });
  return { domain: merged, strides: result, from };
}
