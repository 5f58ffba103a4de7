import { defineOp } from "../op.js";
import { checkTensorList, type Tensor } from "../tensor.js";
import { mul } from "./elementwise.js";
import { times } from "./vanishing.js";

const squaredNormOp = defineOp()({
  name: "squaredNorm",
  operands: { tensors: "list" },
  results: { y: "always" },
  infer: () => ({ y: [] }),
  gradient: ({ tensors }, { y: dy }) => ({ tensors: tensors.map((x) => times(dy, mul(x, 2))) }),
  lowering: {
    kind: "calls",
    emit: (e, { y, tensors: views }, { tensors }) => {
      const chunkOf = (x: Tensor) => Math.min(x.size, e.target.chunkOfAll);
      const counts = tensors.map((x) => Math.ceil(x.size / chunkOf(x)));
      const total = counts.reduce((sum, count) => sum + count, 0);
      const partials = e.temporary(total);
      let offset = partials.offset;
      tensors.forEach((x, i) => {
        e.reduce({
          mode: "sum",
          dims: [1, x.size, 1],
          chunk: chunkOf(x),
          reads: [{ buffer: views[i], strides: [0, 1, 0] }],
          constants: [],
          write: { buffer: partials.buffer, offset },
          temporaries: 1,
          code: [["square", 1, 0, 0, 0]],
          result: 1,
        });
        offset += counts[i];
      });
      e.reduce({
        mode: "sum",
        dims: [1, total, 1],
        chunk: total,
        reads: [{ buffer: partials, strides: [0, 1, 0] }],
        constants: [],
        write: y,
        temporaries: 0,
        code: [],
        result: 0,
      });
    },
  },
});

/** Σ x² over all elements of all tensors.
 *  @shape any number of tensors -> [] */
export function squaredNorm(tensors: readonly Tensor[]): Tensor {
  checkTensorList("squaredNorm", tensors);
  return squaredNormOp({ tensors }).y;
}

export default { squaredNorm: squaredNormOp };
