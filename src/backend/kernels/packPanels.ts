import { kernel, read, write } from "../kernel.js";

/** B as products read it: y [⌈n/16⌉, k, 16], panel j holding columns 16j..16j+15 of op(B) [k, n], 0 beyond the last; op(B) stored
 *  [k, n], or [n, k] if transposed. */
export const packPanels = kernel({ n: "int", k: "int", transposed: "int" })({
  buffers: {
    y: write("f32", (a) => Math.ceil(a.n / 16) * 16 * a.k),
    b: read("f32", (a) => a.n * a.k),
  },
  reference: ({ y, b, n, k, transposed }) => {
    for (let i = 0; i < Math.ceil(n / 16) * 16 * k; i++) {
      const [column, row] = [16 * Math.floor(i / (16 * k)) + (i & 15), (i >> 4) % k];
      y[i] = column < n ? b[transposed ? column * k + row : row * n + column] : 0;
    }
  },
});
