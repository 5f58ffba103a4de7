/** The arguments of `unfold` and `fold`. */
const patches = {
  y: "write",
  x: "read",
  batch: "int",
  channels: "int",
  height: "int",
  width: "int",
  kernelHeight: "int",
  kernelWidth: "int",
  stride: "int",
  padding: "int",
  outHeight: "int",
  outWidth: "int",
} as const;

/**
 * The kernel vocabulary, defined once. Every backend implements these names with these arguments; the WASM dispatcher
 * is generated from this table (`scripts/build-kernels.ts`) and both backends are type-checked against it.
 *
 * Roles of an argument:
 * - `write` / `read`: a buffer of 4-byte elements (float32; int32 where the comment says so); `write?` and `read?` may be null.
 * - `int` / `float`: a number.
 *
 * Tensors are row-major and contiguous; sizes and strides count elements.
 */
export const kernels = {
  /** y[i] = value */
  fill: { y: "write", n: "int", value: "float" },

  /** Rank-6 strided copy: y[yOffset + i·yStride] = x[xOffset + i·xStride] over i in dims d0..d5 (unused leading dims are 1). */
  copyStrided: {
    y: "write",
    x: "read",
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
  },

  /** C = alpha·op(A)·op(B) + bias (+ C if accumulate). op(A) [m, k] is stored [m, k], or [k, m] if transposeA; op(B) [k, n]
   *  stored [k, n], or [n, k] if transposeB is 1, or in panels as `packPanels` leaves it if it is 2; bias [n] or null. Batch strides
   *  may be 0 (shared operand). */
  matmul: {
    c: "write",
    a: "read",
    b: "read",
    bias: "read?",
    batch: "int",
    m: "int",
    n: "int",
    k: "int",
    strideA: "int",
    strideB: "int",
    strideC: "int",
    transposeA: "int",
    transposeB: "int",
    accumulate: "int",
    alpha: "float",
  },

  /** B as products read it: y [⌈n/16⌉, k, 16], panel j holding columns 16j..16j+15 of op(B) [k, n], 0 beyond the last; op(B) stored
   *  [k, n], or [n, k] if transposed. */
  packPanels: { y: "write", b: "read", n: "int", k: "int", transposed: "int" },

  /** o = softmax(scale·q kᵀ) v per (group, head). q, o [groups, lq, heads·headDim]; k, v [groups, lk, heads·headDim]; heads are
   *  consecutive slices of the last axis; lse [groups, heads, lq] = log Σ exp of the scaled, masked logits.
   *  keep [groups, lk] float, 0 = key is padding; a group whose keys are all padding attends to all of them.
   *  labels [labelGroups, lk] int32 (lq = lk): token i sees j only if labels[g mod labelGroups] agree at i and j. */
  attention: {
    o: "write",
    lse: "write",
    q: "read",
    k: "read",
    v: "read",
    keep: "read?",
    labels: "read?",
    groups: "int",
    heads: "int",
    lq: "int",
    lk: "int",
    headDim: "int",
    labelGroups: "int",
    scale: "float",
  },

  /** Gradients of `attention` from dO, with the forward's o and lse. */
  attentionGrad: {
    dq: "write",
    dk: "write",
    dv: "write",
    dO: "read",
    q: "read",
    k: "read",
    v: "read",
    o: "read",
    lse: "read",
    keep: "read?",
    labels: "read?",
    groups: "int",
    heads: "int",
    lq: "int",
    lk: "int",
    headDim: "int",
    labelGroups: "int",
    scale: "float",
  },

  /** Row softmax: y[r, :] = exp(x - max) / Σ. */
  softmax: { y: "write", x: "read", rows: "int", columns: "int" },
  /** dx = y (dy - Σ dy·y) per row; 0 in a row whose dy is 0, whatever y is. */
  softmaxGrad: { dx: "write", y: "read", dy: "read", rows: "int", columns: "int" },

  /** y = x̂·(offset + scale[g]) + shift[g], x̂ = (x - mean)·rstd per row, rstd = 1/sqrt(var + eps); g = row div rowsPerGroup;
   *  scale, shift [groups, columns] or null (null scale: factor 1). mean, rstd [rows] are kept for the gradient. A constant row has
   *  exactly itself as its mean. */
  layerNorm: {
    y: "write",
    mean: "write",
    rstd: "write",
    x: "read",
    scale: "read?",
    shift: "read?",
    rows: "int",
    columns: "int",
    rowsPerGroup: "int",
    offset: "float",
    eps: "float",
  },
  /** dx of `layerNorm`: with g = dy·(offset + scale): dx = rstd·(g - mean(g) - x̂·mean(g·x̂)); 0 in a row whose dy is 0. */
  layerNormGrad: {
    dx: "write",
    dy: "read",
    x: "read",
    mean: "read",
    rstd: "read",
    scale: "read?",
    rows: "int",
    columns: "int",
    rowsPerGroup: "int",
    offset: "float",
  },

  /** One step of AdamW on n numbers, and of their average e (null: none). factor, stepSize, rootCorrection, remainder, guard and
   *  rate are [1]. With g = factor·g: v1 = β₂v + (1-β₂)g², 0 below 2⁻¹²⁶ (float32's smallest normal number); m1 = β₁m + (1-β₁)g, 0
   *  where it is below 1e-30 or v1 is 0; p1 = remainder·p - stepSize·m1 / (rootCorrection·√v1 + eps), 0/0 being 0;
   *  e1 = e + rate·(p1 - e). Where guard is 0, what was stays.
   *  Outputs may be the inputs' own memory. */
  adamW: {
    p1: "write",
    m1: "write",
    v1: "write",
    e1: "write?",
    p: "read",
    g: "read",
    m: "read",
    v: "read",
    e: "read?",
    factor: "read",
    stepSize: "read",
    rootCorrection: "read",
    remainder: "read",
    guard: "read",
    rate: "read?",
    n: "int",
    beta1: "float",
    beta2: "float",
    eps: "float",
  },

  /** y[b, i, :] = x[b, index[b mod indexBatches, i], :]; y [batches, outRows, columns], x [batches, inRows, columns], index
   *  [indexBatches, outRows] int32; an index outside 0..inRows-1 gives a row of zeros. */
  gatherRows: {
    y: "write",
    x: "read",
    index: "read",
    batches: "int",
    outRows: "int",
    inRows: "int",
    columns: "int",
    indexBatches: "int",
  },
  /** Adjoint of gatherRows: y = 0, then y[b, index[b mod indexBatches, i], :] += x[b, i, :] in the order of i; y [batches,
   *  outRows, columns], x [batches, inRows, columns], index [indexBatches, inRows] int32; indices outside are dropped. */
  scatterAddRows: {
    y: "write",
    x: "read",
    index: "read",
    batches: "int",
    outRows: "int",
    inRows: "int",
    columns: "int",
    indexBatches: "int",
  },

  /** im2col: x [batch, channels, height, width] -> y [batch, outHeight·outWidth, channels·kernelHeight·kernelWidth], the row
   *  ordered (channel, kernel row, kernel column); zero padding. */
  unfold: patches,
  /** Adjoint of unfold: every pixel of y [batch, channels, height, width] sums the entries of x that were copied from it. */
  fold: patches,

  /** Uniform numbers in (0, 1): ((w >>> 9) + 0.5)·2⁻²³ of the Philox4x32-10 word w. Element i uses word i mod 4 of the block
   *  with counter (i div 4, stream, run, 0) and key (seedLow, seedHigh); run is int32 [1]. */
  uniform: { y: "write", run: "read", n: "int", seedLow: "int", seedHigh: "int", stream: "int" },
  /** Standard normal numbers by Box-Muller on the same words: with uniforms u0..u3 of a block,
   *  (√(-2 ln u0)·cos 2πu1, √(-2 ln u0)·sin 2πu1, √(-2 ln u2)·cos 2πu3, √(-2 ln u2)·sin 2πu3). */
  normal: { y: "write", run: "read", n: "int", seedLow: "int", seedHigh: "int", stream: "int" },

  /** y [n, 2·half] = [cos(t f_k)…, sin(t f_k)…], f_k = maxPeriod^(-k/half), angles and functions in float64. */
  sinusoid: { y: "write", t: "read", n: "int", half: "int", maxPeriod: "float" },
} as const satisfies Record<string, Record<string, Role>>;

export type Role = "write" | "write?" | "read" | "read?" | "int" | "float";
export type KernelName = keyof typeof kernels;

/** The arguments of kernel K when a buffer is represented by B. */
export type KernelArgs<K extends KernelName, B> = {
  -readonly [P in keyof (typeof kernels)[K]]: (typeof kernels)[K][P] extends "int" | "float"
    ? number
    : (typeof kernels)[K][P] extends "read?" | "write?"
      ? B | null
      : B;
};

/**
 * Elementwise opcodes of the fused kernels, in code order. `a`, `b`, `c` are the operands.
 * Comparisons give 1 or 0. `gelu` is the tanh approximation; `…Grad` is the derivative at a. `mulOrZero` is a·b, but 0 where a or b
 * is 0, even if the other is not finite; `divOrZero` is a/b, but 0 where a is 0, whatever b is.
 */
export const opcodes = [
  "copy",
  "neg",
  "abs",
  "sign",
  "floor",
  "sqrt",
  "reciprocal",
  "square",
  "exp",
  "expm1",
  "log",
  "sin",
  "cos",
  "tanh",
  "sigmoid",
  "erf",
  "gelu",
  "geluGrad",
  "geluErf",
  "geluErfGrad",
  "silu",
  "siluGrad",
  "add",
  "sub",
  "mul",
  "div",
  "mulOrZero",
  "divOrZero",
  "min",
  "max",
  "greater",
  "greaterEqual",
  "equal",
  "mulAdd",
  "mulOrZeroAdd",
  "select",
] as const;
export type Opcode = (typeof opcodes)[number];

/** One instruction of a fused kernel: [opcode, destination, a, b, c]; unused operands are 0. `mulAdd` is a·b + c, `mulOrZeroAdd`
 *  likewise, but c where a or b is 0; `select` is a ≠ 0 ? b : c. Operand numbers count reads, then constants, then writes, then
 *  temporaries. */
export type Instruction = readonly [Opcode, number, number, number, number];

/**
 * Elementwise kernel over a domain of four axes (leading ones may be 1): every read is walked with its own strides (0 =
 * broadcast; the last one is 0 or 1), every write is contiguous over the domain. A write's buffer may be a read's
 * buffer when both have the same layout (in-place update): instructions that read it come before the one that writes it.
 */
export interface FusedCall<B> {
  readonly kernel: "fused";
  readonly dims: readonly [number, number, number, number];
  readonly reads: readonly { readonly buffer: B; readonly strides: readonly [number, number, number, number] }[];
  readonly constants: readonly number[];
  readonly writes: readonly B[];
  readonly temporaries: number;
  readonly code: readonly Instruction[];
}

/**
 * Elementwise kernel followed by a reduction of the middle axis: domain [outer, reduce, inner], the middle axis cut into
 * chunks of `chunk` rows (the last may be shorter): write [outer, chunks, inner]. `result` is the operand that is reduced.
 * With inner = 1 the reads' middle strides are 0 or 1; otherwise their inner strides are 0 or 1. The order of summation within a chunk
 * is fixed, so results do not depend on the number of threads, and sums are of sums, so that rounding errors grow little with length.
 */
export interface ReduceCall<B> {
  readonly kernel: "reduce";
  readonly mode: "sum" | "max";
  readonly dims: readonly [number, number, number];
  readonly chunk: number;
  readonly reads: readonly { readonly buffer: B; readonly strides: readonly [number, number, number] }[];
  readonly constants: readonly number[];
  readonly write: B;
  readonly temporaries: number;
  readonly code: readonly Instruction[];
  readonly result: number;
}

/** A call of a plain kernel. */
export type PlainCall<B> = { [K in KernelName]: { readonly kernel: K; readonly args: KernelArgs<K, B> } }[KernelName];
export type KernelCall<B> = PlainCall<B> | FusedCall<B> | ReduceCall<B>;

/** Most operands (reads + constants + writes + temporaries) a fused kernel may have. */
export const maxOperands = 64;
