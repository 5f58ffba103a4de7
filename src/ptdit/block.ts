import { slice } from "../autograd/ops/copy.js";
import { add, mul } from "../autograd/ops/elementwise.js";
import { gatherRows, permuteRows } from "../autograd/ops/gather.js";
import { reshape } from "../autograd/ops/reshape.js";
import { constant, type Tensor } from "../autograd/tensor.js";
import { checkSeed } from "../nn/checks.js";
import type { Seed } from "../nn/init.js";
import { normal } from "../nn/init.js";
import { Attention, LayerNorm, type Linear, MLP, zeroLinear } from "../nn/layers.js";
import { Module } from "../nn/module.js";
import { type PTDiTConfig, widthOf } from "./config.js";
import type { Geometry } from "./geometry.js";
import { GIIM } from "./giim.js";
import { noTap, type Tap } from "./tap.js";

/** A shift, a scale and a gate for a branch, one vector a sample.
 *  @shape each [B, 1, 1, D] (or [B, M, 1, D] with compat `tile_timestep`) */
export interface Modulation {
  readonly shift: Tensor;
  readonly scale: Tensor;
  readonly gate: Tensor;
}

/** What every block of a model is given beside the tokens. */
export interface Conditioning {
  readonly geometry: Geometry;
  /** The shared six-way modulation. @shape [B, 6, D] */
  readonly t6: Tensor;
  /** Projected caption and its mask. @shape [B, L, D], [B, L] */
  readonly text?: Tensor | undefined;
  readonly keep?: Tensor | undefined;
}

/** Attention among normalised and modulated tokens. */
abstract class ModulatedAttention extends Module {
  readonly norm: LayerNorm;
  readonly attention: Attention;

  constructor(config: PTDiTConfig, seed: Seed) {
    super();
    const width = widthOf(config);
    this.norm = new LayerNorm(width, seed.at("norm"), { affine: config.normAffine, eps: config.normEps });
    this.attention = new Attention(width, config.heads, seed.at("attention"), { bias: config.attentionBias });
  }
}

/** Attention within windows, modulated and gated. @source Qihoo-T2X, section 3.3 (TCM); step 8 */
class WindowAttention extends ModulatedAttention {
  /** @shape x [B, M, P, D] -> increment [B, M, P, D] */
  forward(x: Tensor, { shift, scale, gate }: Modulation): Tensor {
    return this.scoped("window", () => {
      const [batch, windows, tokens, width] = x.shape as [number, number, number, number];
      const y = this.norm.modulated(x, shift, scale); // [B, M, P, D]
      const z = this.attention.forward(reshape(y, [batch * windows, tokens, width])); // [B M, P, D]
      return mul(gate, reshape(z, x.shape)); // [B, M, P, D]
    });
  }
}

/** Attention within windows shifted by half a window; gate first, then a linear layer that starts at zero. @source step 9 */
class ShiftedWindowAttention extends ModulatedAttention {
  readonly out: Linear;

  constructor(config: PTDiTConfig, seed: Seed) {
    super(config, seed);
    const width = widthOf(config);
    this.out = zeroLinear(width, width, seed.at("out"));
  }

  /** @shape x [B, M, P, D] -> increment [B, M, P, D] */
  forward(x: Tensor, { shift, scale, gate }: Modulation, geometry: Geometry, tap: Tap): Tensor {
    return this.scoped("shifted", () => {
      const [batch, windows, tokens, width] = x.shape as [number, number, number, number];
      const rows = reshape(x, [batch, windows * tokens, width]); // [B, T, D]
      const rolled = reshape(permuteRows(rows, geometry.shifted), x.shape); // [B, M, P, D]
      const y = reshape(this.norm.modulated(rolled, shift, scale), [batch * windows, tokens, width]); // [B M, P, D]
      const z = this.attention.forward(y, y, { labels: geometry.regions }); // [B M, P, D]
      const back = permuteRows(reshape(z, [batch, windows * tokens, width]), geometry.unshifted); // [B, T, D]
      const attended = tap.keep("shifted_attn", reshape(back, x.shape)); // [B, M, P, D]
      return this.out.forward(mul(gate, attended)); // [B, M, P, D]
    });
  }
}

/** Full self-attention over all tokens, modulated and gated: the baseline's replacement for GIIM and TCM. */
class FullAttention extends WindowAttention {
  override forward(x: Tensor, modulation: Modulation): Tensor {
    const [batch, windows, tokens, width] = x.shape as [number, number, number, number];
    return reshape(super.forward(reshape(x, [batch, 1, windows * tokens, width]), modulation), x.shape); // [B, M, P, D]
  }
}

/**
 * A PT-DiT block: far field by proxies, near field by windows, then the caption and the MLP. Branches return increments.
 * @source Qihoo-T2X (arXiv 2409.04005), figure 3; steps 5 to 11 of the architecture
 */
export class Block extends Module {
  readonly giim: GIIM | undefined;
  readonly window: WindowAttention | undefined;
  readonly shifted: ShiftedWindowAttention | undefined;
  readonly text: Attention | undefined;
  readonly mlpNorm: LayerNorm;
  readonly mlp: MLP;
  readonly modulation: Tensor;
  readonly shiftedModulation: Tensor | undefined;

  constructor(
    private readonly config: PTDiTConfig,
    seed: Seed,
  ) {
    super();
    const width = widthOf(config);
    checkSeed("block", seed);
    const proxy = config.mixing === "proxy";
    const shifts = proxy && config.tcm && config.shiftedWindows;
    this.giim = proxy && config.giim ? new GIIM(config, seed.at("giim")) : undefined;
    if (!proxy) this.window = new FullAttention(config, seed.at("window"));
    else this.window = config.tcm ? new WindowAttention(config, seed.at("window")) : undefined;
    this.shifted = shifts ? new ShiftedWindowAttention(config, seed.at("shifted")) : undefined;
    this.text =
      config.captionChannels === null
        ? undefined
        : new Attention(width, config.heads, seed.at("text"), { bias: config.attentionBias });
    this.mlpNorm = new LayerNorm(width, seed.at("mlpNorm"), { affine: config.normAffine, eps: config.normEps });
    this.mlp = new MLP({ width, hidden: 4 * width, out: width }, seed.at("mlp"));
    this.modulation = seed.parameter("modulation", [6, width], normal(width ** -0.5));
    this.shiftedModulation = shifts ? seed.parameter("shiftedModulation", [3, width], normal(width ** -0.5)) : undefined;
  }

  /** @shape x [B, M, P, D] -> [B, M, P, D] */
  forward(x: Tensor, c: Conditioning, index?: Tensor, tap: Tap = noTap): Tensor {
    const rows = this.rows(add(this.modulation, c.t6), c.geometry); // 6 × [B, 1, 1, D]
    const modulation = (at: number): Modulation => ({
      shift: rows[at] as Tensor,
      scale: rows[at + 1] as Tensor,
      gate: rows[at + 2] as Tensor,
    });

    if (this.giim) x = tap.keep("after_visual", add(x, this.giim.forward(x, c.geometry, index, tap))); // [B, M, P, D] tokens read the proxies
    if (this.window) x = tap.keep("after_window", add(x, this.window.forward(x, modulation(0)))); // [B, M, P, D] ... their own window
    if (this.shifted && this.shiftedModulation) {
      const [shift, scale, gate] = this.rows(add(this.shiftedModulation, slice(c.t6, 1, 0, 3)), c.geometry) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      x = tap.keep("after_shift", add(x, this.shifted.forward(x, { shift, scale, gate }, c.geometry, tap))); // [B, M, P, D] ... across its borders
    }
    if (this.text && c.text) x = tap.keep("after_text", add(x, this.readText(this.text, x, c.text, c.keep))); // [B, M, P, D] ... the caption
    return tap.keep("out", add(x, this.transform(x, modulation(3)))); // [B, M, P, D]
  }

  /** Every token reads the caption: no norm before, no gate. @source step 10 */
  private readText(attention: Attention, x: Tensor, text: Tensor, keep: Tensor | undefined): Tensor {
    return this.scoped("text", () => {
      const [batch, windows, tokens, width] = x.shape as [number, number, number, number];
      return reshape(attention.forward(reshape(x, [batch, windows * tokens, width]), text, { keep }), x.shape); // [B, M, P, D]
    });
  }

  /** The modulated, gated MLP. @source step 11 */
  private transform(x: Tensor, { shift, scale, gate }: Modulation): Tensor {
    return this.scoped("mlp", () => mul(gate, this.mlp.forward(this.mlpNorm.modulated(x, shift, scale)))); // [B, M, P, D]
  }

  /** Rows of a modulation table as vectors that belong to their own sample.
   *  @shape [B, k, D] -> k × [B, 1, 1, D] */
  private rows(table: Tensor, { sizes }: Geometry): Tensor[] {
    const [batch, count, width] = table.shape as [number, number, number];
    return Array.from({ length: count }, (_, k) => {
      const row = reshape(slice(table, 1, k, k + 1), [batch, 1, 1, width]);
      if (!this.config.compat.includes("tile_timestep")) return row;
      // The released code tiles t over windows: row r of B·M takes the timestep of sample r mod B.
      const order = Int32Array.from({ length: batch * sizes.windows }, (_, r) => r % batch);
      const tiled = gatherRows(reshape(row, [1, batch, width]), constant(order, [1, order.length]));
      return reshape(tiled, [batch, sizes.windows, 1, width]);
    });
  }
}
