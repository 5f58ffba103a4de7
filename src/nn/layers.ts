import { conv2d, groupNorm, type WindowOptions, windowRules } from "../autograd/ops/convolution.js";
import { add, gelu, mul, silu } from "../autograd/ops/elementwise.js";
import { embedding } from "../autograd/ops/gather.js";
import { layerNorm, modulatedLayerNorm, modulatedRmsNorm, rmsNorm } from "../autograd/ops/layerNorm.js";
import { linear } from "../autograd/ops/matmul.js";
import type { Tensor } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";
import { callable, checkOptions, checkValue, flag, needed, notNegative, type Rules, whole } from "../base/options.js";
import { checkSeed, checkSizes } from "./checks.js";
import { type Initializer, normal, ones, type Seed, xavierUniform, zeros } from "./init.js";
import { Module } from "./module.js";

export interface LinearOptions {
  readonly bias?: boolean;
  readonly weight?: Initializer;
}
const linearRules: Rules<LinearOptions> = { bias: flag, weight: callable };

/** y = x Wᵀ + b.
 *  @shape x [..., in] -> [..., out]; weight [out, in], bias [out] */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  constructor(width: number, out: number, seed: Seed, options: LinearOptions = {}) {
    super(seed);
    checkSizes("linear", { width, out });
    checkSeed("linear", seed);
    checkOptions("linear", options, linearRules);
    this.weight = seed.parameter("weight", [out, width], options.weight ?? xavierUniform);
    this.bias = options.bias === false ? undefined : seed.parameter("bias", [out], zeros);
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

/** A linear layer that starts at zero, so that its branch adds nothing at first. */
export const zeroLinear = (width: number, out: number, seed: Seed): Linear => new Linear(width, out, seed, { weight: zeros });

/** Layer normalisation over the last axis, with or without weight and bias, and optionally modulated.
 *  @shape x [..., D] -> [..., D] */
export class LayerNorm extends Module {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;

  constructor(
    width: number,
    seed: Seed,
    private readonly options: { readonly affine: boolean; readonly eps: number },
  ) {
    super(seed);
    checkSizes("layer norm", { width });
    checkSeed("layer norm", seed);
    checkOptions("layer norm", options, { affine: needed(flag), eps: needed(notNegative) });
    this.weight = options.affine ? seed.parameter("weight", [width], ones) : undefined;
    this.bias = options.affine ? seed.parameter("bias", [width], zeros) : undefined;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    return layerNorm(x, { ...(weight ? { weight } : {}), ...(bias ? { bias } : {}), eps: this.options.eps });
  }

  /** norm(x)·(1 + scale) + shift.
   *  @shape x [B, ..., D], shift, scale [B, 1, ..., D] -> [B, ..., D] */
  modulated(x: Tensor, shift: Tensor, scale: Tensor): Tensor {
    if (this.options.affine) return add(mul(this.forward(x), add(scale, 1)), shift);
    return modulatedLayerNorm(x, shift, scale, this.options.eps);
  }
}

/** Root-mean-square normalisation over the last axis: no mean is taken off, and there is no bias. Without weight on request.
 *  @shape x [..., D] -> [..., D]; weight [D] */
export class RMSNorm extends Module {
  readonly weight: Tensor | undefined;

  constructor(
    width: number,
    seed: Seed,
    private readonly options: { readonly eps?: number; readonly affine?: boolean } = {},
  ) {
    super(seed);
    checkSizes("RMS norm", { width });
    checkSeed("RMS norm", seed);
    checkOptions("RMS norm", options, { eps: notNegative, affine: flag });
    this.weight = options.affine === false ? undefined : seed.parameter("weight", [width], ones);
  }

  forward(x: Tensor): Tensor {
    const { weight, options } = this;
    return rmsNorm(x, { ...(weight && { weight }), ...(options.eps !== undefined && { eps: options.eps }) });
  }

  /** As that of `LayerNorm`. */
  modulated(x: Tensor, shift: Tensor, scale: Tensor): Tensor {
    if (this.weight) return add(mul(this.forward(x), add(scale, 1)), shift);
    return modulatedRmsNorm(x, shift, scale, this.options.eps);
  }
}

/** Two linear layers with an activation between them.
 *  @shape x [..., in] -> [..., out] */
export class MLP extends Module {
  readonly first: Linear;
  readonly second: Linear;

  constructor(
    sizes: { readonly width: number; readonly hidden: number; readonly out: number },
    seed: Seed,
    private readonly activation: (x: Tensor) => Tensor = gelu,
    second: LinearOptions = {},
  ) {
    super(seed);
    checkOptions("MLP", sizes, { width: needed(whole(1)), hidden: needed(whole(1)), out: needed(whole(1)) });
    checkSeed("MLP", seed);
    checkValue("MLP", "the activation", activation, callable);
    this.first = new Linear(sizes.width, sizes.hidden, seed.at("first"));
    this.second = new Linear(sizes.hidden, sizes.out, seed.at("second"), second);
  }

  forward(x: Tensor): Tensor {
    return this.second.forward(this.activation(this.first.forward(x)));
  }
}

/** Two linear layers, the first gated by another through SiLU.
 *  @shape x [..., in] -> [..., out]
 *  @source Shazeer, arXiv 2002.05202 */
export class GatedMLP extends Module {
  readonly gate: Linear;
  readonly first: Linear;
  readonly second: Linear;

  constructor(sizes: { readonly width: number; readonly hidden: number; readonly out: number }, seed: Seed) {
    super(seed);
    checkOptions("gated MLP", sizes, { width: needed(whole(1)), hidden: needed(whole(1)), out: needed(whole(1)) });
    checkSeed("gated MLP", seed);
    this.gate = new Linear(sizes.width, sizes.hidden, seed.at("gate"));
    this.first = new Linear(sizes.width, sizes.hidden, seed.at("first"));
    this.second = new Linear(sizes.hidden, sizes.out, seed.at("second"));
  }

  forward(x: Tensor): Tensor {
    return this.second.forward(mul(silu(this.gate.forward(x)), this.first.forward(x)));
  }
}

/** A table of learned rows.
 *  @shape ids i32 [...] -> [..., D] */
export class Embedding extends Module {
  readonly weight: Tensor;

  constructor(rows: number, width: number, seed: Seed, initializer: Initializer = normal(1)) {
    super(seed);
    checkSizes("embedding", { rows, width });
    checkSeed("embedding", seed);
    this.weight = seed.parameter("weight", [rows, width], initializer);
  }

  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids);
  }
}

/** 2-D convolution.
 *  @shape x [B, C, H, W] -> [B, O, H', W']; weight [O, C, kernel, kernel] */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  private readonly window: WindowOptions;

  constructor(
    channels: number,
    out: number,
    kernel: number,
    seed: Seed,
    options: WindowOptions & { readonly weight?: Initializer } = {},
  ) {
    super(seed);
    checkSizes("conv2d", { channels, out, kernel });
    checkSeed("conv2d", seed);
    checkOptions("conv2d", options, { ...windowRules, weight: callable });
    const { weight, ...window } = options;
    this.window = window;
    this.weight = seed.parameter("weight", [out, channels, kernel, kernel], weight ?? xavierUniform);
    this.bias = seed.parameter("bias", [out], zeros);
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.window);
  }
}

/** Group normalisation with weight and bias per channel.
 *  @shape x [B, C, H, W] -> [B, C, H, W] */
export class GroupNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(
    private readonly groups: number,
    channels: number,
    seed: Seed,
    private readonly eps = 1e-5,
  ) {
    super(seed);
    checkSizes("group norm", { groups, channels });
    checkSeed("group norm", seed);
    checkValue("group norm", "eps", eps, notNegative);
    if (channels % groups !== 0)
      throw new ConfigError(`group norm: ${channels} channels are not a whole number of ${groups} groups.`);
    this.weight = seed.parameter("weight", [channels], ones);
    this.bias = seed.parameter("bias", [channels], zeros);
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.groups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
}
