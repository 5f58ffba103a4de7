import { runsOf, type View } from "../buffer.js";
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
    together: ({ tensors }) => [tensors],
    emit: (e, { y, tensors: views }, { tensors }) => {
      const order = inMemory(views);
      const runs = runsOf(
        order.map((i) => tensors[i].size),
        order.map((i) => views[i]),
      );
      const chunkOf = (elements: number) => Math.min(elements, e.target.chunkOfAll);
      const counts = runs.map(({ elements }) => Math.ceil(elements / chunkOf(elements)));
      const total = counts.reduce((sum, count) => sum + count, 0);
      const partials = e.temporary(total);
      let { offset } = partials;
      runs.forEach(({ first, elements }, i) => {
        e.reduce({
          mode: "sum",
          dims: [1, elements, 1],
          chunk: chunkOf(elements),
          reads: [{ buffer: views[order[first]], strides: [0, 1, 0] }],
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

/** Indices of views in the order in which they lie in memory; buffers in the order in which they come. */
function inMemory(views: readonly View[]): number[] {
  const buffers = [...new Set(views.map(({ buffer }) => buffer))];
  const rank = new Map(buffers.map((buffer, i) => [buffer, i]));
  const place = (i: number): number => rank.get(views[i].buffer) ?? 0;
  return views.map((_, i) => i).sort((a, b) => place(a) - place(b) || views[a].offset - views[b].offset);
}

/** Σ x² over all elements of all tensors.
 *  @shape any number of tensors -> [] */
export function squaredNorm(tensors: readonly Tensor[]): Tensor {
  checkTensorList("squaredNorm", tensors);
  return squaredNormOp({ tensors }).y;
}

export default { squaredNorm: squaredNormOp };
