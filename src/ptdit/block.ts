import { note } from "../autograd/notes.js";
import { concat, split } from "../autograd/ops/copy.js";
import { add, mul } from "../autograd/ops/elementwise.js";
import { gatherRows, permuteRows } from "../autograd/ops/gather.js";
import { reshape } from "../autograd/ops/reshape.js";
import { constant, scope, type Tensor } from "../autograd/tensor.js";
import type { Attention } from "../nn/attention.js";
import { checkSeed } from "../nn/checks.js";
import type { Seed } from "../nn/init.js";
import { normal } from "../nn/init.js";
import { type GatedMLP, type Linear, type MLP, zeroLinear } from "../nn/layers.js";
import { Module } from "../nn/module.js";
import { type PTDiTConfig, widthOf } from "./config.js";
import type { Geometry } from "./geometry.js";
import { GIIM } from "./giim.js";
import { blockMLP, type TokenNorm, tokenAttention, tokenNorm } from "./layers.js";
import { type MixingBranch, mixings } from "./mixing.js";

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
  /** The rows of the block's tables beside those of the timestep (see `modulationRows`). @shape [6, B, D], [3, B, D] */
  readonly rows: Tensor;
  readonly shiftedRows?: Tensor | undefined;
  /** Projected caption and its mask. @shape [B, L, D], [B, L] */
  readonly text?: Tensor | undefined;
  readonly keep?: Tensor | undefined;
  /** Proxy mode `random`: which token of its cell each proxy is; drawn if absent. @shape [B, M, n] */
  readonly proxyIndex?: Tensor | undefined;
}

/** A part of a block: its increment of the tokens. @shape x [B, M, P, D] -> [B, M, P, D] */
interface Branch {
  readonly name: string;
  readonly forward: (x: Tensor) => Tensor;
}

/** Attention among normalised and modulated tokens. */
abstract class ModulatedAttention extends Module {
  readonly norm: TokenNorm;
  readonly attention: Attention;

  constructor(config: PTDiTConfig, seed: Seed) {
    super(seed);
    this.norm = tokenNorm(config, seed.at("norm"));
    this.attention = tokenAttention(config, seed.at("attention"));
  }
}

/** Attention within windows, modulated and gated. @source Qihoo-T2X, section 3.3 (TCM); step 8 */
class WindowAttention extends ModulatedAttention {
  /** @shape x [B, M, P, D] -> increment [B, M, P, D] */
  forward(x: Tensor, { shift, scale, gate }: Modulation): Tensor {
    const [batch, windows, tokens, width] = x.shape;
    const y = this.norm.modulated(x, shift, scale); // [B, M, P, D]
    const z = this.attention.forward(reshape(y, [batch * windows, tokens, width])); // [B M, P, D]
    return mul(gate, reshape(z, x.shape)); // [B, M, P, D]
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
  forward(x: Tensor, { shift, scale, gate }: Modulation, geometry: Geometry): Tensor {
    const [batch, windows, tokens, width] = x.shape;
    const rows = reshape(x, [batch, windows * tokens, width]); // [B, T, D]
    const rolled = reshape(permuteRows(rows, geometry.shifted), x.shape); // [B, M, P, D]
    const y = reshape(this.norm.modulated(rolled, shift, scale), [batch * windows, tokens, width]); // [B M, P, D]
    const z = this.attention.forward(y, y, { labels: geometry.regions }); // [B M, P, D]
    const back = permuteRows(reshape(z, [batch, windows * tokens, width]), geometry.unshifted); // [B, T, D]
    const attended = note("attended", reshape(back, x.shape)); // [B, M, P, D]
    return this.out.forward(mul(gate, attended)); // [B, M, P, D]
  }
}

/** Full self-attention over all tokens, modulated and gated: the baseline's replacement for GIIM and TCM. */
class FullAttention extends WindowAttention {
  override forward(x: Tensor, modulation: Modulation): Tensor {
    const [batch, windows, tokens, width] = x.shape;
    return reshape(super.forward(reshape(x, [batch, 1, windows * tokens, width]), modulation), x.shape); // [B, M, P, D]
  }
}

/** Every block's table beside the timestep's rows, for all blocks at once. Rows come first, so that each is read, and its gradient
 *  written, where it lies.
 *  @shape tables: one [k, D] a block, rows [k, B, D] -> one [k, B, D] a block */
export function modulationRows(tables: readonly Tensor[], rows: Tensor): Tensor[] {
  if (tables.length === 0) return [];
  const [count, , width] = rows.shape;
  const all = add(reshape(concat(tables, 0), [tables.length, count, 1, width]), rows); // [blocks, k, B, D]
  return split(all, 0, tables.length).map((own) => reshape(own, rows.shape));
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
  readonly mlpNorm: TokenNorm;
  readonly mlp: MLP | GatedMLP;
  readonly modulation: Tensor;
  readonly shiftedModulation: Tensor | undefined;

  constructor(
    private readonly config: PTDiTConfig,
    seed: Seed,
  ) {
    super(seed);
    const width = widthOf(config);
    checkSeed("block", seed);
    const own: readonly MixingBranch[] = mixings[config.mixing];
    const shifts = own.includes("shifted");
    this.giim = own.includes("giim") ? new GIIM(config, seed.at("giim")) : undefined;
    if (own.includes("full")) this.window = new FullAttention(config, seed.at("window"));
    else this.window = own.includes("window") ? new WindowAttention(config, seed.at("window")) : undefined;
    this.shifted = shifts ? new ShiftedWindowAttention(config, seed.at("shifted")) : undefined;
    this.text = config.captionChannels === null ? undefined : tokenAttention(config, seed.at("text"));
    this.mlpNorm = tokenNorm(config, seed.at("mlpNorm"));
    this.mlp = blockMLP(config, seed.at("mlp"));
    this.modulation = seed.parameter("modulation", [6, width], normal(width ** -0.5));
    this.shiftedModulation = shifts ? seed.parameter("shiftedModulation", [3, width], normal(width ** -0.5)) : undefined;
  }

  /** @shape x [B, M, P, D] -> [B, M, P, D] */
  forward(x: Tensor, c: Conditioning): Tensor {
    for (const { name, forward } of this.branches(c)) {
      const increment = scope(name, () => forward(x)); // [B, M, P, D]
      x = note(name, add(x, increment)); // [B, M, P, D]
    }
    return x;
  }

  /** Tokens read the proxies, their own window, what lies across its borders, the caption, and go through the MLP. */
  private branches({ rows, shiftedRows, text, keep, geometry, proxyIndex }: Conditioning): Branch[] {
    const { giim, window, shifted, text: reader, mlpNorm, mlp } = this;
    const [own, mlpOwn] = this.modulations(rows, geometry);
    const branches: Branch[] = [];
    if (giim) branches.push({ name: "giim", forward: (x) => giim.forward(x, geometry, proxyIndex) });
    if (window) branches.push({ name: "window", forward: (x) => window.forward(x, own) });
    if (shifted && shiftedRows) {
      const [modulation] = this.modulations(shiftedRows, geometry);
      branches.push({ name: "shifted", forward: (x) => shifted.forward(x, modulation, geometry) });
    }
    // No norm before the caption, and no gate. @source step 10
    if (reader && text) {
      const tokens = (x: Tensor) => reshape(x, [x.shape[0], -1, x.shape[3]]); // [B, T, D]
      branches.push({ name: "text", forward: (x) => reshape(reader.forward(tokens(x), text, { keep }), x.shape) });
    }
    const { shift, scale, gate } = mlpOwn; // @source step 11
    branches.push({ name: "mlp", forward: (x) => mul(gate, mlp.forward(mlpNorm.modulated(x, shift, scale))) });
    return branches;
  }

  /** Rows, three a branch, as vectors that belong to their own sample.
   *  @shape rows [3 k, B, D] -> k × 3 × [B, 1, 1, D] */
  private modulations(rows: Tensor, { sizes }: Geometry): Modulation[] {
    const [count, batch, width] = rows.shape;
    const vectors = split(rows, 0, count).map((row) => {
      if (!this.config.compat.includes("tile_timestep")) return reshape(row, [batch, 1, 1, width]);
      // The released code tiles t over windows: row r of B·M takes the timestep of sample r mod B.
      const order = Int32Array.from({ length: batch * sizes.windows }, (_, r) => r % batch);
      return reshape(gatherRows(row, constant(order, [1, order.length])), [batch, sizes.windows, 1, width]);
    });
    return Array.from({ length: count / 3 }, (_, i) => {
      const [shift, scale, gate] = vectors.slice(3 * i, 3 * i + 3);
      return { shift, scale, gate };
    });
  }
}
