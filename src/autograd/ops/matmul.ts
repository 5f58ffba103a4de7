import { ShapeError } from "../../base/errors.js";
import { sameShape, showShape, sizeOf } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensors, type Tensor } from "../tensor.js";
import { add, broadcastTo } from "./elementwise.js";
import { sum } from "./reduce.js";
import { reshape } from "./reshape.js";

interface MatmulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** B is in panels: what it was. */
  readonly packed?: { readonly n: number; readonly k: number };
  /** A second result: the sums of op(A)'s rows. @shape [..., m] */
  readonly sums?: true;
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

type Gradients = readonly (Tensor | undefined)[];

const matmulOp = defineOp<MatmulAttributes>({
  name: "matmul",
  infer: ([a, b, bias], attributes) => {
    const [x, y] = [a, b];
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
    const batch = sizeOf(batchA) >= sizeOf(batchB) ? batchA : batchB;
    return [{ shape: [...batch, m, n] }, ...(attributes.sums ? [{ shape: [...batch, m] }] : [])];
  },
  gradient: ({
    inputs: [x, y, bias],
    attributes: { transposeA: ta, transposeB: tb, packed },
    dOutputs: [dy, dSums],
  }): Gradients => {
    if (packed)
      throw new ShapeError("matmul: a product with B in panels has no gradient. Take it before the weight is packed.");
    // Σ over k of op(A): every element of a row has the gradient of its sum.
    const ofSums = dSums && broadcastTo(reshape(dSums, [...dSums.shape.slice(0, -1), ...(ta ? [1, -1] : [-1, 1])]), x.shape);
    if (!dy) return [ofSums, undefined, undefined];
    // With C = op(A) op(B): d op(A) = dC op(B)ᵀ and d op(B) = op(A)ᵀ dC, each transposed back where the operand was.
    const ofProduct = unbatch(ta ? product(y, dy, tb, true) : product(dy, y, false, !tb), x);
    const dx = ofSums ? add(ofProduct, ofSums) : ofProduct;
    if (bias && tb && !ta && dy.shape.length === 2) {
      // The bias's gradient comes with the product that reads its operand.
      const [dWeight, dBias] = matmulOp([dy, x], { transposeA: true, transposeB: false, sums: true });
      return [dx, dWeight, dBias];
    }
    const db = tb ? product(dy, x, true, ta) : product(x, dy, !ta, false);
    const rows = (t: Tensor) => t.shape.slice(0, -1).map((_, axis) => axis);
    return [dx, unbatch(db, y), ...(bias ? [sum(dy, rows(dy))] : [])];
  },
  rewrite: ({ inputs, attributes, target, held, once }): readonly Tensor[] | undefined => {
    const [a, b, ...bias] = inputs;
    const { transposeA, transposeB, packed } = attributes;
    if (packed || b.shape.length !== 2) return undefined;
    const { m, n, k, batchA } = sizes(a, b, attributes);
    const form = target.productForm({ batch: sizeOf(batchA), m, n, k, transposeA, transposeB });
    if (form.packsHeldB && held(b)) {
      const pack = () => packPanels([b], { n, k, transposed: transposeB })[0];
      return matmulOp([a, once(b, `panels ${transposeB}`, pack), ...bias], { ...attributes, packed: { n, k } });
    }
    if (form.parts > 1 && transposeA && !transposeB && a.shape.length === 2 && bias.length === 0) {
      const part = (x: Tensor) => reshape(x, [form.parts, k / form.parts, x.shape[1]]);
      return matmulOp([part(a), part(b)], attributes).map((own) => sum(own, 0));
    }
    return undefined;
  },
  lowering: {
    kind: "calls",
    emit: (e, attributes) => {
      const [a, b] = e.inputs as [Tensor, Tensor];
      const { m, n, k, batchA, batchB } = sizes(a, b, attributes);
      const [countA, countB] = [sizeOf(batchA), sizeOf(batchB)];
      e.call("matmul", {
        c: e.output(0),
        sums: attributes.sums ? e.output(1) : null,
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
  checkTensors("matmul", { a, b }, { bias });
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError(
      `matmul: operands need two axes or more, got ${showShape(a.shape)} and ${showShape(b.shape)}. Reshape vectors to rows.`,
    );
  }
  const attributes = { transposeA, transposeB };
  const inputs = bias ? [a, b, bias] : [a, b];
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    const tall = reshape(a, [-1, a.shape.at(-1) as number]);
    const y = matmulOp([tall, ...inputs.slice(1)], attributes)[0];
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1]]);
  }
  return matmulOp(inputs, attributes)[0];
}

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
  checkTensors("linear", { x, weight }, { bias });
  const [out, width] = weight.shape;
  if (weight.shape.length !== 2 || x.shape.at(-1) !== width) {
    throw new ShapeError(
      `linear: the weight ${showShape(weight.shape)} is [out, in]; x ${showShape(x.shape)} must end in ${width}.`,
    );
  }
  if (bias && !sameShape(bias.shape, [out]))
    throw new ShapeError(`linear: bias must be [${out}], got ${showShape(bias.shape)}.`);
  const rows = reshape(x, [-1, width]);
  return reshape(product(rows, weight, false, true, bias), [...x.shape.slice(0, -1), out]);
}
