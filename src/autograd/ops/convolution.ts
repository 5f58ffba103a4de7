import { ShapeError } from "../../base/errors.js";
import { checkOptions, checkValue, notNegative, type Rule, type Rules, whole } from "../../base/options.js";
import { type Shape, showShape } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensors, type Tensor, tensorRule } from "../tensor.js";
import { transpose } from "./copy.js";
import { add, broadcastTo, mul } from "./elementwise.js";
import { layerNorm } from "./layerNorm.js";
import { linear } from "./matmul.js";
import { reshape } from "./reshape.js";

export interface WindowAttributes {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
  readonly padding: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

const unfoldOp = defineOp<WindowAttributes>()({
  name: "unfold",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: (_, a) => ({ y: [a.batch, a.outHeight * a.outWidth, a.channels * a.kernelHeight * a.kernelWidth] }),
  gradient: (_, { y: dy }, attributes) => ({ x: foldBy(dy, attributes) }),
  lowering: { kind: "calls", emit: (e, { y, x }, _, attributes) => e.call("unfold", { y, x, ...attributes }) },
});

const foldOp = defineOp<WindowAttributes>()({
  name: "fold",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: (_, a) => ({ y: [a.batch, a.channels, a.height, a.width] }),
  gradient: (_, { y: dy }, attributes) => ({ x: unfoldOp({ x: dy }, attributes).y }),
  lowering: { kind: "calls", emit: (e, { y, x }, _, attributes) => e.call("fold", { y, x, ...attributes }) },
});

const foldBy = (x: Tensor, attributes: WindowAttributes): Tensor => foldOp({ x }, attributes).y;

export interface WindowOptions {
  readonly stride?: number;
  readonly padding?: number;
}
export const windowRules: Rules<WindowOptions> = { stride: whole(1), padding: whole(0) };

/** Two positive whole numbers, of rows and columns. */
type Pair = readonly [height: number, width: number];
const pairRule: Rule = {
  text: "two positive whole numbers [height, width]",
  holds: (value) => Array.isArray(value) && value.length === 2 && value.every((size) => whole(1).holds(size)),
};

/** How a kernel walks a picture. @throws ConfigError when a size or an option is against its rule */
function walk(where: string, picture: Shape, kernel: Pair, options: WindowOptions): WindowAttributes {
  checkOptions(where, options, windowRules);
  checkValue(where, "kernel", kernel, pairRule);
  const { stride = 1, padding = 0 } = options;
  const [batch, channels, height, width] = picture;
  const [kernelHeight, kernelWidth] = kernel;
  const outHeight = Math.floor((height + 2 * padding - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + 2 * padding - kernelWidth) / stride) + 1;
  return { batch, channels, height, width, kernelHeight, kernelWidth, stride, padding, outHeight, outWidth };
}

/** Patches of a picture as rows, ordered (channel, row, column), zeros beyond the border.
 *  @shape x [B, C, H, W] -> [B, H'·W', C·kernelHeight·kernelWidth], H' = ⌊(H + 2 padding - kernelHeight) / stride⌋ + 1
 *  @throws ShapeError when the kernel does not fit
 *  @throws ConfigError when a stride is not a whole number of at least 1, a padding of at least 0, or an option unknown */
export function unfold(x: Tensor, kernel: Pair, options: WindowOptions = {}): Tensor {
  checkTensors("unfold", { x });
  const own = walk("unfold", x.shape, kernel, options);
  if (x.shape.length !== 4 || !(own.outHeight >= 1 && own.outWidth >= 1)) {
    throw new ShapeError(
      `unfold: a ${own.kernelHeight}x${own.kernelWidth} kernel with padding ${own.padding} does not fit x ${showShape(x.shape)} ([B, C, H, W]).`,
    );
  }
  return unfoldOp({ x }, own).y;
}

/** Adds rows up to the picture whose patches they are: what `unfold` takes from several places comes together again, as a sum.
 *  @shape x [B, H'·W', C·kernelHeight·kernelWidth] -> [B, C, H, W]; H' and W' as those of `unfold`
 *  @throws ShapeError when the rows are not those of such a picture
 *  @throws ConfigError when the size or the kernel is none, and as `unfold` */
export function fold(x: Tensor, size: Pair, kernel: Pair, options: WindowOptions = {}): Tensor {
  checkTensors("fold", { x });
  checkValue("fold", "size", size, pairRule);
  const [batch, rows, columns] = x.shape;
  const numbers = kernel[0] * kernel[1];
  const own = walk("fold", [batch, columns / numbers, ...size], kernel, options);
  if (x.shape.length !== 3 || columns % numbers !== 0 || rows !== own.outHeight * own.outWidth) {
    throw new ShapeError(
      `fold: x must be [B, ${own.outHeight * own.outWidth}, C·${numbers}] for a picture ${showShape(size)} and a kernel ${showShape(kernel)}, got ${showShape(x.shape)}.`,
    );
  }
  return foldBy(x, own);
}

/** 2-D convolution (cross-correlation, as PyTorch's).
 *  @shape x [B, C, H, W], weight [O, C, kh, kw], bias [O] -> [B, O, H', W']
 *  @throws ShapeError when channels or kernel do not fit */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: WindowOptions = {}): Tensor {
  checkTensors("conv2d", { x, weight }, { bias });
  checkOptions("conv2d", options, windowRules);
  const [out, channels, kernelHeight, kernelWidth] = weight.shape;
  if (weight.shape.length !== 4 || x.shape.length !== 4 || x.shape[1] !== channels) {
    throw new ShapeError(
      `conv2d: weight [O, C, kh, kw] and x [B, C, H, W] must share C, got ${showShape(weight.shape)} and ${showShape(x.shape)}.`,
    );
  }
  const { stride = 1, padding = 0 } = options;
  const rows = unfold(x, [kernelHeight, kernelWidth], options); // [B, H'W', C kh kw]
  const y = linear(rows, reshape(weight, [out, -1]), bias); // [B, H'W', O]
  const height = Math.floor((x.shape[2] + 2 * padding - kernelHeight) / stride) + 1;
  return reshape(transpose(y), [x.shape[0], out, height, -1]); // [B, O, H', W']
}

/** Group normalisation: every group of channels of a picture to mean 0 and variance 1, then weight and bias per channel.
 *  @shape x [B, C, H, W], weight, bias [C] -> [B, C, H, W]
 *  @throws ShapeError when C is not a whole number of groups
 *  @source Wu and He, arXiv 1803.08494 */
export function groupNorm(x: Tensor, groups: number, options: { weight?: Tensor; bias?: Tensor; eps?: number } = {}): Tensor {
  checkTensors("groupNorm", { x });
  checkOptions("groupNorm", options, { weight: tensorRule, bias: tensorRule, eps: notNegative });
  const [batch, channels] = x.shape;
  if (x.shape.length < 2) throw new ShapeError(`groupNorm: x must be [B, C, ...], got ${showShape(x.shape)}.`);
  if (!whole(1).holds(groups) || channels % groups !== 0)
    throw new ShapeError(`groupNorm: ${channels} channels are not a whole number of ${groups} groups.`);
  const y = reshape(layerNorm(reshape(x, [batch, groups, -1]), { eps: options.eps ?? 1e-5 }), x.shape);
  const perChannel = (t: Tensor) => reshape(t, [channels, ...x.shape.slice(2).map(() => 1)]);
  const scaled = options.weight ? mul(y, perChannel(options.weight)) : y;
  return options.bias ? add(scaled, perChannel(options.bias)) : scaled;
}

/** Nearest-neighbour upsampling: every pixel becomes a factor × factor square.
 *  @shape x [B, C, H, W] -> [B, C, H·factor, W·factor]
 *  @throws ConfigError when the factor is not a whole number of at least 1 */
export function upsampleNearest(x: Tensor, factor: number): Tensor {
  checkTensors("upsampleNearest", { x });
  checkValue("upsampleNearest", "factor", factor, whole(1));
  if (x.shape.length !== 4) throw new ShapeError(`upsampleNearest: x must be [B, C, H, W], got ${showShape(x.shape)}.`);
  const [batch, channels, height, width] = x.shape;
  const spread = broadcastTo(reshape(x, [batch, channels, height, 1, width, 1]), [
    batch,
    channels,
    height,
    factor,
    width,
    factor,
  ]);
  return reshape(spread, [batch, channels, height * factor, width * factor]);
}

export default { unfold: unfoldOp, fold: foldOp };
