import { ShapeError } from "../../base/errors.js";
import { lastOf, type Shape, sameShape, showShape, sizeOf } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensors, type Tensor } from "../tensor.js";
import { add, broadcastTo } from "./elementwise.js";
import { sum } from "./reduce.js";
import { reshape } from "./reshape.js";

export interface MatmulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** B is in panels: what it was. */
  readonly packed?: { readonly n: number; readonly k: number };
  /** A second result: the sums of op(A)'s rows. @shape [..., m] */
  readonly sums?: true;
}

/** Columns of a panel. */
const panelColumns = 16;

const packPanelsOp = defineOp<{ readonly n: number; readonly k: number; readonly transposed: boolean }>()({
  name: "packPanels",
  operands: { b: "needed" },
  results: { y: "always" },
  infer: (_, { n, k }) => ({ y: [Math.ceil(n / panelColumns), k, panelColumns] }),
  lowering: {
    kind: "calls",
    emit: (e, { y, b }, _, { n, k, transposed }) => e.call("packPanels", { y, b, n, k, transposed: Number(transposed) }),
  },
});

/** Two floats a word, rounded to 16 bits. Its tensor is of f32 as all that is held, and of words to the kernels alone. */
const packHalvesOp = defineOp()({
  name: "packHalves",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: ({ x }) => ({ y: [Math.ceil(x.size / 2)] }),
  lowering: { kind: "calls", emit: (e, { y, x }, t) => e.call("packHalves", { y, x, n: t.x.size }) },
});

const unpackHalvesOp = defineOp<Shape>()({
  name: "unpackHalves",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: (_, shape) => ({ y: shape }),
  lowering: { kind: "calls", emit: (e, { y, x }, t) => e.call("unpackHalves", { y, x, n: t.y.size }) },
});

/** Sizes of a product, with the batch axes flattened. */
function sizes(a: Tensor, b: Tensor, { transposeA, transposeB, packed }: MatmulAttributes) {
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  if (packed) return { m, n: packed.n, k, inner: packed.k, batchA: a.shape.slice(0, -2), batchB: [] };
  const [inner, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  return { m, n, k, inner, batchA: a.shape.slice(0, -2), batchB: b.shape.slice(0, -2) };
}

const matmulOp = defineOp<MatmulAttributes>()({
  name: "matmul",
  operands: { a: "needed", b: "needed", bias: "optional" },
  results: { c: "always", sums: "optional" },
  infer: ({ a, b, bias }, attributes) => {
    const { m, n, k, inner, batchA, batchB } = sizes(a, b, attributes);
    const axis = (transposed: boolean, last: boolean) => (transposed === last ? "-2" : "-1");
    if (k !== inner) {
      throw new ShapeError(
        `matmul: inner sizes differ: a ${showShape(a.shape)} has a[${axis(attributes.transposeA, true)}] = ${k}, b ${showShape(b.shape)} has ` +
          `b[${axis(attributes.transposeB, false)}] = ${inner}. If an operand is stored the other way round, use matmulNT or matmulTN.`,
      );
    }
    if (!sameShape(batchA, batchB) && sizeOf(batchA) !== 1 && sizeOf(batchB) !== 1) {
      throw new ShapeError(
        `matmul: batch axes must be equal, or absent on one side: got a ${showShape(a.shape)} and b ${showShape(b.shape)}. Reshape or broadcastTo one of them.`,
      );
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== n)) {
      throw new ShapeError(`matmul: bias must be [${n}], one number a column of the product, got ${showShape(bias.shape)}.`);
    }
    const batch = sizeOf(batchA) >= sizeOf(batchB) ? batchA : batchB;
    return { c: [...batch, m, n], sums: attributes.sums && [...batch, m] };
  },
  gradient: ({ a, b, bias }, { c: dc, sums: dSums }, { transposeA: ta, transposeB: tb, packed }) => {
    if (packed)
      throw new ShapeError("matmul: a product with B in panels has no gradient. Take it before the weight is packed.");
    // Σ over k of op(A): every element of a row has the gradient of its sum.
    const ofSums = dSums && broadcastTo(reshape(dSums, [...dSums.shape.slice(0, -1), ...(ta ? [1, -1] : [-1, 1])]), a.shape);
    if (!dc) return { a: ofSums };
    // With C = op(A) op(B): d op(A) = dC op(B)ᵀ and d op(B) = op(A)ᵀ dC, each transposed back where the operand was.
    const ofProduct = unbatch(ta ? product(b, dc, tb, true) : product(dc, b, false, !tb), a);
    const da = ofSums ? add(ofProduct, ofSums) : ofProduct;
    if (bias && tb && !ta && dc.shape.length === 2) {
      // The bias's gradient comes with the product that reads its operand.
      const { c, sums } = recorded({ a: dc, b: a }, { transposeA: true, transposeB: false, sums: true });
      return { a: da, b: c, bias: sums };
    }
    const db = tb ? product(dc, a, true, ta) : product(a, dc, !ta, false);
    const rows = (t: Tensor) => t.shape.slice(0, -1).map((_, axis) => axis);
    return { a: da, b: unbatch(db, b), bias: bias && sum(dc, rows(dc)) };
  },
  rewrite: ({ a, b, bias }, attributes, { target, held, once }) => {
    const { transposeA, transposeB, packed } = attributes;
    if (packed || b.shape.length !== 2) return undefined;
    const { m, n, k, batchA } = sizes(a, b, attributes);
    const form = target.productForm({ batch: sizeOf(batchA), m, n, k, transposeA, transposeB });
    if (form.heldB === "halves" && held(b)) {
      const words = once(b, "halves", (own) => packHalvesOp({ x: own }).y);
      return recorded({ a, b: unpackHalvesOp({ x: words }, b.shape).y, bias }, attributes);
    }
    if (form.heldB === "panels" && held(b)) {
      const pack = (own: Tensor) => packPanelsOp({ b: own }, { n, k, transposed: transposeB }).y;
      return recorded({ a, b: once(b, `panels ${transposeB}`, pack), bias }, { ...attributes, packed: { n, k } });
    }
    if (form.parts > 1 && transposeA && !transposeB && a.shape.length === 2 && !bias) {
      const part = (x: Tensor) => reshape(x, [form.parts, k / form.parts, x.shape[1]]);
      const { c, sums } = recorded({ a: part(a), b: part(b) }, attributes);
      return { c: sum(c, 0), sums: sums && sum(sums, 0) };
    }
    return undefined;
  },
  lowering: {
    kind: "calls",
    emit: (e, { c, sums = null, a, b, bias = null }, t, attributes) => {
      const { m, n, k, batchA, batchB } = sizes(t.a, t.b, attributes);
      const [countA, countB] = [sizeOf(batchA), sizeOf(batchB)];
      e.call("matmul", {
        c,
        sums,
        a,
        b,
        bias,
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

interface Product {
  readonly c: Tensor;
  readonly sums: Tensor | undefined;
}
/** The product that the op's own rules record. */
function recorded(
  operands: { readonly a: Tensor; readonly b: Tensor; readonly bias?: Tensor | undefined },
  attributes: MatmulAttributes,
): Product {
  return matmulOp(operands, attributes);
}

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
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    const tall = reshape(a, [-1, lastOf(a.shape)]);
    const { c } = matmulOp({ a: tall, b, bias }, attributes);
    return reshape(c, [...a.shape.slice(0, -1), c.shape[1]]);
  }
  return matmulOp({ a, b, bias }, attributes).c;
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

export default { packPanels: packPanelsOp, packHalves: packHalvesOp, unpackHalves: unpackHalvesOp, matmul: matmulOp };
