import { kernel, type Numbers, read, write } from "../kernel.js";

const numbers = {
  yOffset: "int",
  xOffset: "int",
  d0: "int",
  d1: "int",
  d2: "int",
  d3: "int",
  d4: "int",
  d5: "int",
  y0: "int",
  y1: "int",
  y2: "int",
  y3: "int",
  y4: "int",
  y5: "int",
  x0: "int",
  x1: "int",
  x2: "int",
  x3: "int",
  x4: "int",
  x5: "int",
} as const;
type Args = Numbers<typeof numbers>;

const elements = ({ d0, d1, d2, d3, d4, d5 }: Args): number => d0 * d1 * d2 * d3 * d4 * d5;
/** One more than the largest element of a walk from `offset` with these strides. */
const end = ({ d0, d1, d2, d3, d4, d5 }: Args, offset: number, strides: readonly number[]): number =>
  [d0, d1, d2, d3, d4, d5].reduce((sum, size, axis) => sum + (size - 1) * strides[axis], offset + 1);

/** Rank-6 strided copy: y[yOffset + i·yStride] = x[xOffset + i·xStride] over i in dims d0..d5 (unused leading dims are 1). */
export const copyStrided = kernel(numbers)({
  buffers: {
    y: write("f32", (a) => end(a, a.yOffset, [a.y0, a.y1, a.y2, a.y3, a.y4, a.y5]), elements),
    x: read("f32", (a) => end(a, a.xOffset, [a.x0, a.x1, a.x2, a.x3, a.x4, a.x5]), elements),
  },
  reference: ({ y, x, yOffset, xOffset, d0, d1, d2, d3, d4, d5, y0, y1, y2, y3, y4, y5, x0, x1, x2, x3, x4, x5 }) => {
    for (let a = 0; a < d0; a++)
      for (let b = 0; b < d1; b++)
        for (let c = 0; c < d2; c++)
          for (let d = 0; d < d3; d++)
            for (let e = 0; e < d4; e++) {
              const toRow = yOffset + a * y0 + b * y1 + c * y2 + d * y3 + e * y4;
              const fromRow = xOffset + a * x0 + b * x1 + c * x2 + d * x3 + e * x4;
              for (let f = 0; f < d5; f++) y[toRow + f * y5] = x[fromRow + f * x5];
            }
  },
});
