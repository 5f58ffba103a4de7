/** Rows by index: gather, scatter-add, permutation, embedding. */
import { ShapeError } from "../../base/errors.js";
import { show } from "../../base/options.js";
import { showShape } from "../../base/shape.js";
import { defineOp, type Lowering } from "../op.js";
import { checkTensors, constant, type Tensor } from "../tensor.js";
import { reshape } from "./reshape.js";

function check(name: string, x: Tensor, index: Tensor): void {
  const fits = x.shape.length === 3 && index.shape.length === 2 && index.dtype === "i32" && x.shape[0] % index.shape[0] === 0;
  if (!fits) {
    throw new ShapeError(
      `${name}: x must be [B, rows, D] and index i32 [Bi, n] with B a multiple of Bi, got ${x} and ${index}.`,
    );
  }
}

const operands = { x: "needed", index: "needed" } as const;

/** A gather of rows, whatever the index means to the op. */
const gatherLowering: Lowering<unknown, typeof operands, { readonly y: "always" }> = {
  kind: "calls",
  emit: (e, { y, x, index }, t) => {
    const [batches, inRows, columns] = t.x.shape;
    const [indexBatches, outRows] = t.index.shape;
    e.call("gatherRows", { y, x, index, batches, outRows, inRows, columns, indexBatches });
  },
};

const gatherOp = defineOp()({
  name: "gatherRows",
  operands,
  results: { y: "always" },
  takesI32: true,
  infer: ({ x, index }) => {
    check("gatherRows", x, index);
    const [batches, , columns] = x.shape;
    return { y: { shape: [batches, index.shape[1], columns], dtype: x.dtype } };
  },
  gradient: ({ x, index }, { y: dy }) => ({ x: scatterAddRows(dy, index, x.shape[1]) }),
  lowering: gatherLowering,
});

/** y[b, i] = x[b, index[b mod Bi, i]]; an index outside the rows gives a row of zeros.
 *  @shape x [B, rows, D], index i32 [Bi, n] -> [B, n, D]
 *  @throws ShapeError when the shapes do not fit */
export const gatherRows = (x: Tensor, index: Tensor): Tensor => gatherOp({ x, index }).y;

const scatterOp = defineOp<{ readonly rows: number }>()({
  name: "scatterAddRows",
  operands,
  results: { y: "always" },
  takesI32: true,
  infer: ({ x, index }, { rows }) => {
    check("scatterAddRows", x, index);
    if (x.dtype !== "f32") throw new ShapeError(`scatterAddRows: x must be f32, got ${x}.`);
    const [batches, inRows, columns] = x.shape;
    if (inRows !== index.shape[1]) {
      throw new ShapeError(`scatterAddRows: x has ${inRows} rows a batch, index names ${index.shape[1]}. They must agree.`);
    }
    return { y: [batches, rows, columns] };
  },
  gradient: ({ index }, { y: dy }) => ({ x: gatherRows(dy, index) }),
  lowering: {
    kind: "calls",
    emit: (e, { y, x, index }, t, { rows: outRows }) => {
      const [batches, inRows, columns] = t.x.shape;
      const [indexBatches] = t.index.shape;
      e.call("scatterAddRows", { y, x, index, batches, outRows, inRows, columns, indexBatches });
    },
  },
});

/** y = 0, then y[b, index[b mod Bi, i]] += x[b, i], in the order of i on every device and any number of threads.
 *  @shape x [B, n, D], index i32 [Bi, n] -> [B, rows, D] */
export const scatterAddRows = (x: Tensor, index: Tensor, rows: number): Tensor => scatterOp({ x, index }, { rows }).y;

const permuteOp = defineOp<{ readonly order: Int32Array; readonly inverse: Int32Array }>()({
  name: "permuteRows",
  operands,
  results: { y: "always" },
  takesI32: true,
  infer: ({ x }) => ({ y: x }),
  gradient: (_, { y: dy }, { order, inverse }) => ({ x: permute(dy, inverse, order) }),
  lowering: gatherLowering,
});

function permute(x: Tensor, order: Int32Array, inverse: Int32Array): Tensor {
  return permuteOp({ x, index: constant(order, [1, order.length]) }, { order, inverse }).y;
}

/** Reorders the rows of every batch by a fixed permutation: y[b, i] = x[b, order[i]]; the gradient is the inverse permutation.
 *  @shape x [B, n, D], order [n] -> [B, n, D]
 *  @throws ShapeError unless `order` names every row once */
export function permuteRows(x: Tensor, order: Int32Array): Tensor {
  checkTensors("permuteRows", { x });
  if (!(order instanceof Int32Array)) throw new ShapeError(`permuteRows: order must be an Int32Array, got ${show(order)}.`);
  const inverse = new Int32Array(order.length).fill(-1);
  order.forEach((from, to) => {
    inverse[from] = to;
  });
  if (x.shape.length !== 3 || order.length !== x.shape[1] || inverse.includes(-1)) {
    throw new ShapeError(
      `permuteRows: order must name each row of x ${showShape(x.shape)} ([B, n, D]) once, got ${order.length} entries.`,
    );
  }
  return order.every((from, to) => from === to) ? x : permute(x, order, inverse);
}

/** Rows of a table.
 *  @shape table [rows, D], ids i32 [...] -> [..., D]
 *  @throws ShapeError when ids are not i32, or the table has not two axes */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  checkTensors("embedding", { table, ids });
  const [rows, columns] = table.shape;
  if (table.shape.length !== 2 || ids.dtype !== "i32")
    throw new ShapeError(`embedding: the table must be [rows, D] and ids i32 [...], got ${table} and ${ids}.`);
  const y = gatherRows(reshape(table, [1, rows, columns]), reshape(ids, [1, ids.size]));
  return reshape(y, [...ids.shape, columns]);
}

export default { gatherRows: gatherOp, scatterAddRows: scatterOp, permuteRows: permuteOp };
