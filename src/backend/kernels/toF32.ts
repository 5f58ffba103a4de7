import { kernel, read, write } from "../kernel.js";

/** y float = x int32. */
export const toF32 = kernel({ n: "int" })({
  buffers: { y: write("f32", (a) => a.n), x: read("i32", (a) => a.n) },
  reference: ({ y, x, n }) => y.set(x.subarray(0, n)),
});
