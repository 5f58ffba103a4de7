import type { FusedCall, KernelCall, ReduceCall } from "./kernels.js";

/** What a kernel call costs, counted from its arguments. */
export interface CallCost {
  /** Multiply-adds of matrix products. */
  readonly multiplyAdds: number;
  /** Elements that an elementwise or row kernel computes, times its instructions. */
  readonly elementOps: number;
  /** Bytes read and written at least once, at 4 bytes an element. */
  readonly bytes: number;
}

/** Counts a call. Attention counts QKᵀ and PV (the gradient: five products), without masks. */
export function callCost<B>(call: KernelCall<B>): CallCost {
  if (call.kernel === "fused") {
    const size = call.dims.reduce((product, n) => product * n, 1);
    return {
      multiplyAdds: 0,
      elementOps: size * call.code.length,
      bytes: 4 * (elementsRead(call) + size * call.writes.length),
    };
  }
  if (call.kernel === "reduce") {
    const [outer, rows, inner] = call.dims;
    const size = outer * rows * inner;
    return {
      multiplyAdds: 0,
      elementOps: size * (call.code.length + 1),
      bytes: 4 * (elementsRead(call) + outer * Math.ceil(rows / call.chunk) * inner),
    };
  }
  switch (call.kernel) {
    case "matmul": {
      const { batch, m, n, k, strideA, strideB } = call.args;
      const operand = (stride: number, size: number) => (stride === 0 ? size : batch * size);
      return {
        multiplyAdds: batch * m * n * k,
        elementOps: 0,
        bytes: 4 * (operand(strideA, m * k) + operand(strideB, n * k) + batch * m * n),
      };
    }
    case "attention":
    case "attentionGrad": {
      const { groups, heads, lq, lk, headDim } = call.args;
      const products = call.kernel === "attention" ? 2 : 5;
      const tensors = call.kernel === "attention" ? [2, 2] : [4, 4];
      return {
        multiplyAdds: products * groups * heads * lq * lk * headDim,
        elementOps: groups * heads * lq * lk,
        bytes: 4 * groups * heads * headDim * ((tensors[0] as number) * lq + (tensors[1] as number) * lk),
      };
    }
    case "softmax":
    case "softmaxGrad":
    case "layerNorm":
    case "layerNormGrad": {
      const size = call.args.rows * call.args.columns;
      return { multiplyAdds: 0, elementOps: size, bytes: 4 * size * (call.kernel.endsWith("Grad") ? 3 : 2) };
    }
    case "copyStrided": {
      const { d0, d1, d2, d3, d4, d5 } = call.args;
      return moved(2 * d0 * d1 * d2 * d3 * d4 * d5);
    }
    case "gatherRows":
      return moved(2 * call.args.batches * call.args.outRows * call.args.columns);
    case "scatterAddRows":
      return moved(call.args.batches * (call.args.outRows + call.args.inRows) * call.args.columns);
    case "unfold":
    case "fold": {
      const { batch, channels, kernelHeight, kernelWidth, outHeight, outWidth } = call.args;
      return moved(2 * batch * channels * kernelHeight * kernelWidth * outHeight * outWidth);
    }
    case "adamW":
      return { multiplyAdds: 0, elementOps: 12 * call.args.n, bytes: 4 * call.args.n * (call.args.e === null ? 7 : 9) };
    case "packPanels":
      return moved(2 * call.args.n * call.args.k);
    case "fill":
    case "uniform":
    case "normal":
      return moved(call.args.n);
    case "argMax": {
      const { outer, length, inner } = call.args;
      return { multiplyAdds: 0, elementOps: outer * length * inner, bytes: 4 * outer * inner * (length + 1) };
    }
    case "toF32":
      return moved(2 * call.args.n);
    case "sinusoid":
      return moved(call.args.n * 2 * call.args.half);
  }
}

/** Elements of all operands, each counted once however often it is broadcast. */
const elementsRead = <B>({ dims, reads }: FusedCall<B> | ReduceCall<B>): number =>
  reads.reduce((sum, { strides }) => sum + dims.reduce<number>((n, size, axis) => (strides[axis] === 0 ? n : n * size), 1), 0);

const moved = (elements: number): CallCost => ({ multiplyAdds: 0, elementOps: 0, bytes: 4 * elements });
