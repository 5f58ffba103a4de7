import { kernel, write } from "../kernel.js";

/** y[i] = value */
export const fill = kernel({ n: "int", value: "float" })({
  buffers: { y: write("f32", (a) => a.n) },
  reference: ({ y, n, value }) => void y.fill(value, 0, n),
});
