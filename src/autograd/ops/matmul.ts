import { ShapeError } from "../../base/errors.js";
import { sameShape, showShape, sizeOf } from "../../base/shape.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sum } from "./reduce.js";
import { reshape } from "./reshape.js";

interface MatmulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** B is in panels: what it was. */
  readonly packed?: { readonly n: number; readonly k: number };
}

/** Columns of a panel. */
const panelColumns = 16;

const packPanels = defineOp<{ readonly n: number; readonly k: number; readonly transposed: boolean }>({
  name: "packPanels",
  infer: (_, { n, k }) => [{ shape: [Math.ceil(n / panelColumns), k, panelColumns] }],
  lowering: {
    kind: "calls",
    emit: (e, { n, k, transposed }) =>
      e.call("packPanels", { y: e.output(0), b: e.input(0), n, k, transposed: Number(transposed) }),
  },
});

/** Sizes of a product, with the batch axes flattened. */
function sizes(a: Tensor, b: Tensor, { transposeA, transposeB, packed }: MatmulAttributes) {
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  if (packed) return { m, n: packed.n, k, inner: packed.k, batchA: a.shape.slice(0, -2), batchB: [] };
  const [inner, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  return { m, n, k, inner, batchA: a.shape.slice(0, -2), batchB: b.shape.slice(0, -2) };
}

const matmulOp = defineOp<MatmulAttributes>({
  name: "matmul",
  infer: ([a, b, bias], attributes) => {
    const [x, y] = [a as Tensor, b as Tensor];
    const { m, n, k, inner, batchA, batchB } = sizes(x, y, attributes);
    const axis = (transposed: boolean, last: boolean) => (transposed === last ? "-2" : "-1");
    if (k !== inner) {
      throw new ShapeError(
        `matmul: inner sizes differ: a ${showShape(x.shape)} has a[${axis(attributes.transposeA, true)}] = ${k}, b ${showShape(y.shape)} has ` +
          `b[${axis(attributes.transposeB, false)}] = ${inner}. If an operand is stored the other way round, use matmulNT or matmulTN.`,
      );
    }
    if (!sameShape(batchA, batchB) && sizeOf(batchA) !== 1 && sizeOf(batchB) !== 1) {
      throw new ShapeError(
        `matmul: batch axes must be equal, or absent on one side: got a ${showShape(x.shape)} and b ${showShape(y.shape)}. Reshape or broadcastTo one of them.`,
      );
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== n)) {
      throw new ShapeError(`matmul: bias must be [${n}], one number a column of the product, got ${showShape(bias.shape)}.`);
    }
    return [{ shape: [...(sizeOf(batchA) >= sizeOf(batchB) ? batchA : batchB), m, n] }];
  },
  gradient: ({ inputs: [a, b, bias], attributes: { transposeA: ta, transposeB: tb, packed }, dy }) => {
    if (packed)
      throw new ShapeError("matmul: a product with B in panels has no gradient. Take it before the weight is packed.");
    const [x, y] = [a as Tensor, b as Tensor];
    // With C = op(A) op(B): d op(A) = dC op(B)ᵀ and d op(B) = op(A)ᵀ dC, each transposed back where the operand was.
    const dx = ta ? product(y, dy, tb, true) : product(dy, y, false, !tb);
    const db = tb ? product(dy, x, true, ta) : product(x, dy, !ta, false);
    const rows = (t: Tensor) => t.shape.slice(0, -1).map((_, axis) => axis);
    return [unbatch(dx, x), unbatch(db, y), ...(bias ? [sum(dy, rows(dy))] : [])];
  },
  prepared: (inputs, attributes) => {
    const [a, b] = inputs as [Tensor, Tensor];
    if (b.shape.length !== 2 || attributes.packed) return undefined;
    const { n, k } = sizes(a, b, attributes);
    return {
      index: 1,
      value: packPanels([b], { n, k, transposed: attributes.transposeB })[0] as Tensor,
      apply: (own): readonly Tensor[] => matmulOp(own, { ...attributes, packed: { n, k } }),
    };
  },
  lowering: {
    kind: "calls",
    emit: (e, attributes) => {
      const [a, b] = e.inputs as [Tensor, Tensor];
      const { m, n, k, batchA, batchB } = sizes(a, b, attributes);
      const [countA, countB] = [sizeOf(batchA), sizeOf(batchB)];
      e.call("matmul", {
        c: e.output(0),
        a: e.input(0),
        b: e.input(1),
        bias: e.inputs.length > 2 ? e.input(2) : null,
        batch: Math.max(countA, countB),
        m,
        n,
        k,
        strideA: countA === 1 ? 0 : m * k,
        strideB: countB === 1 ? 0 : k * n,
        strideC: m * n,
        transposeA: Number(attributes.transposeA),
        transposeB: attributes.packed ? 2 : Number(attributes.transposeB),
        accumulate: 0,
        alpha: 1,
      });
    },
  },
});

/** Sums the gradient of an operand that all products of a batch shared. */
function unbatch(dx: Tensor, x: Tensor): Tensor {
  const lead = dx.shape.slice(0, -2);
  return reshape(
    sizeOf(lead) === sizeOf(x.shape.slice(0, -2))
      ? dx
      : sum(
          dx,
          lead.map((_, axis) => axis),
        ),
    x.shape,
  );
}

/** op(A) op(B) + bias. A batch of A against one shared B is one tall product, and so is its gradient. */
function product(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean, bias?: Tensor): Tensor {
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError(
      `matmul: operands need two axes or more, got ${showShape(a.shape)} and ${showShape(b.shape)}. Reshape vectors to rows.`,
    );
  }
  const attributes = { transposeA, transposeB };
  const inputs = bias ? [a, b, bias] : [a, b];
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    const tall = reshape(a, [-1, a.shape.at(-1) as number]);
    const y = matmulOp([tall, ...inputs.slice(1)], attributes)[0] as Tensor;
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1] as number]);
  }
  if (transposeA && !transposeB && a.shape.length === 2 && b.shape.length === 2 && !bias) {
    const [rows, m] = a.shape as readonly [number, number];
    const parts = rows === b.shape[0] ? partsOfRows(rows, m, b.shape[1] as number) : 1;
    if (parts > 1) {
      const part = (x: Tensor) => reshape(x, [parts, rows / parts, x.shape[1] as number]);
      return sum(matmulOp([part(a), part(b)], attributes)[0] as Tensor, 0);
    }
  }
  return matmulOp(inputs, attributes)[0] as Tensor;
}

/** Rows from which, and sizes of C up to which, Aᵀ B is summed in parts; and how many they are. */
const [manyRows, smallProduct, rowParts] = [2048, 64 * 256, 4];

/**
 * Into how many equal parts of its rows Aᵀ B, as a weight's gradient is, is cut. Threads that share out the parts pack different
 * rows; had they shared out C, too small for its many rows, each would pack all of A or of B. A function of the sizes alone.
 */
const partsOfRows = (rows: number, m: number, n: number): number =>
  rows >= manyRows && rows % rowParts === 0 && m * n <= smallProduct ? rowParts : 1;

/** Matrix product C = A B over the last two axes; leading axes are a batch, which one side may lack.
 *  @shape a [..., m, k], b [..., k, n] -> [..., m, n]
 *  @throws ShapeError when the inner sizes or the batches differ */
export const matmul = (a: Tensor, b: Tensor): Tensor => product(a, b, false, false);

/** C = A Bᵀ.
 *  @shape a [..., m, k], b [..., n, k] -> [..., m, n] */
export const matmulNT = (a: Tensor, b: Tensor): Tensor => product(a, b, false, true);

/** C = Aᵀ B.
 *  @shape a [..., k, m], b [..., k, n] -> [..., m, n] */
export const matmulTN = (a: Tensor, b: Tensor): Tensor => product(a, b, true, false);

/** y = x Wᵀ + bias, weights stored [out, in] as PyTorch does.
 *  @shape x [..., in], weight [out, in], bias [out] -> [..., out]
 *  @throws ShapeError when the sizes differ */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [out, width] = weight.shape;
  if (weight.shape.length !== 2 || x.shape.at(-1) !== width) {
    throw new ShapeError(
      `linear: the weight ${showShape(weight.shape)} is [out, in]; x ${showShape(x.shape)} must end in ${width}.`,
    );
  }
  if (bias && !sameShape(bias.shape, [out as number]))
    throw new ShapeError(`linear: bias must be [${out}], got ${showShape(bias.shape)}.`);
  const rows = reshape(x, [-1, width as number]);
  return reshape(product(rows, weight, false, true, bias), [...x.shape.slice(0, -1), out as number]);
}
