import { note } from "../autograd/notes.js";
import { fold, unfold } from "../autograd/ops/convolution.js";
import { slice, split, transpose } from "../autograd/ops/copy.js";
import { add } from "../autograd/ops/elementwise.js";
import { permuteRows } from "../autograd/ops/gather.js";
import { linear } from "../autograd/ops/matmul.js";
import { reshape } from "../autograd/ops/reshape.js";
import { checkpoint, constant, scope, type Tensor, tensorRule } from "../autograd/tensor.js";
import { ConfigError, ShapeError } from "../base/errors.js";
import { checkOptions, flag, needed, type Rules, seedRule } from "../base/options.js";
import { showShape } from "../base/shape.js";
import { normal, Seed, xavierUniform, zeros } from "../nn/init.js";
import { Linear, MLP } from "../nn/layers.js";
import { Module } from "../nn/module.js";
import { Block, modulationRows } from "./block.js";
import { AdaLNSingle, type SampleConditions } from "./conditioning.js";
import { type PTDiTConfig, ptditConfig, widthOf } from "./config.js";
import { Geometry } from "./geometry.js";
import { type TokenNorm, tokenNorm } from "./layers.js";
import { positionTable } from "./positions.js";

/** The inputs of a PT-DiT. */
export interface ModelInputs extends SampleConditions {
  /** Latents. @shape [B, C, F, H, W] */
  readonly x: Tensor;
  /** Caption tokens. @shape [B, L, captionChannels] */
  readonly caption?: Tensor | undefined;
  /** 1 = a caption token, 0 = padding. @shape [B, L] */
  readonly keep?: Tensor | undefined;
  /** Which token of its cell each proxy is, with proxy mode `random`; drawn if absent. @shape [depth, B, M, n] */
  readonly proxyIndex?: Tensor | undefined;
}

const inputRules: Rules<ModelInputs> = {
  x: needed(tensorRule),
  t: needed(tensorRule),
  caption: tensorRule,
  keep: tensorRule,
  labels: tensorRule,
  resolution: tensorRule,
  aspect: tensorRule,
  proxyIndex: tensorRule,
};

/** How a model's graph is built. */
export interface ForwardOptions {
  /** Whether the backward pass computes the blocks again instead of keeping what they computed. */
  readonly checkpointing?: boolean;
}
const forwardRules: Rules<ForwardOptions> = { checkpointing: flag };

/** Side of what a token reads and writes: its patch, and what overlaps its neighbours'. */
const kernelOf = ({ patch, overlap }: PTDiTConfig): number => patch + 2 * overlap;

/** Patches to tokens: a convolution with the patch as its stride, as one product. @source step 1 */
class PatchEmbed extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(config: PTDiTConfig, seed: Seed) {
    super(seed);
    const { inChannels } = config;
    const kernel = kernelOf(config);
    this.weight = seed.parameter("weight", [widthOf(config), inChannels, kernel, kernel], (shape, value, name) =>
      xavierUniform([shape[0], inChannels * kernel * kernel], value, name),
    );
    this.bias = seed.parameter("bias", [widthOf(config)], zeros);
  }

  /** @shape patches [B, T, C kernel kernel] -> [B, T, D] */
  forward(patches: Tensor): Tensor {
    return linear(patches, reshape(this.weight, [this.weight.shape[0], -1]), this.bias);
  }
}

/** Norm, modulation by the conditioning vector itself, and the projection back to patches, which starts at zero. @source step 12 */
class FinalLayer extends Module {
  readonly modulation: Tensor;
  readonly out: Linear;
  private readonly norm: TokenNorm;

  constructor(config: PTDiTConfig, seed: Seed) {
    super(seed);
    const width = widthOf(config);
    this.modulation = seed.parameter("modulation", [2, width], normal(width ** -0.5));
    this.norm = tokenNorm({ ...config, normAffine: false, normEps: 1e-6 }, seed.at("norm"));
    this.out = new Linear(width, kernelOf(config) ** 2 * config.outChannels, seed.at("out"), { weight: zeros });
  }

  /** @shape x [B, M, P, D], c [B, D] -> [B, M, P, kernel kernel Cout] */
  forward(x: Tensor, c: Tensor): Tensor {
    return this.scoped(() => {
      const [batch, width] = c.shape;
      const rows = add(reshape(this.modulation, [2, 1, width]), reshape(c, [1, batch, width])); // [2, B, D]
      const [shift, scale] = split(rows, 0, 2).map((row) => reshape(row, [batch, 1, 1, width])); // [B, 1, 1, D]
      return this.out.forward(this.norm.modulated(x, shift, scale)); // [B, M, P, kernel kernel Cout]
    });
  }
}

/**
 * PT-DiT: predicts, for noisy latents at a timestep and under a caption or class, the velocity towards the data.
 * The same weights serve images (one frame) and videos.
 * @source Qihoo-T2X (arXiv 2409.04005); the released code, less the two errors that `compat` can bring back
 */
export class PTDiT extends Module {
  readonly patchEmbed: PatchEmbed;
  readonly conditioning: AdaLNSingle;
  readonly caption: MLP | undefined;
  readonly blocks: readonly Block[];
  readonly final: FinalLayer;
  readonly config: PTDiTConfig;
  private readonly geometries = new Map<string, Geometry>();
  private readonly tables = new Map<Geometry, Tensor>();

  constructor(config: Partial<PTDiTConfig> = {}, options: { readonly seed?: number } = {}) {
    super();
    const own = ptditConfig(config);
    checkOptions("ptdit", options, { seed: seedRule });
    const width = widthOf(own);
    const seed = new Seed(options.seed ?? 0);
    this.config = own;
    this.patchEmbed = new PatchEmbed(own, seed.at("patchEmbed"));
    this.conditioning = new AdaLNSingle(own, seed.at("conditioning"));
    this.caption =
      own.captionChannels === null
        ? undefined
        : new MLP({ width: own.captionChannels, hidden: width, out: width }, seed.at("caption"));
    this.blocks = Array.from({ length: own.depth }, (_, i) => new Block(own, seed.at("blocks").at(i)));
    this.final = new FinalLayer(own, seed.at("final"));
  }

  /**
   * `checkpointing` computes the same, in less memory and more time: of all blocks but the last the backward pass keeps nothing.
   * @shape x [B, C, F, H, W], t [B], caption [B, L, Cc], keep [B, L] -> [B, outChannels, F, H, W]; the first C channels are the prediction
   * @throws ShapeError when x has the wrong channels or its sides are not whole patches
   * @throws ConfigError when windows do not tile the grid, or a condition is missing or unknown
   */
  forward(inputs: ModelInputs, options: ForwardOptions = {}): Tensor {
    checkOptions("ptdit", inputs, inputRules);
    checkOptions("ptdit", options, forwardRules);
    const { checkpointing = false } = options;
    const { x, caption, keep, proxyIndex } = inputs;
    const { config } = this;
    const { patch, overlap } = config;
    const kernel = kernelOf(config);
    const geometry = this.geometry(x);
    const [batch, channels, frames, height, width] = x.shape;
    const tokens = scope("patchEmbed", () => {
      const pictures = reshape(transpose(x, [0, 2, 1, 3, 4]), [batch * frames, channels, height, width]); // [B F, C, H, W]
      const rows = unfold(pictures, [kernel, kernel], { stride: patch, padding: overlap }); // [B F, h w, C kernel kernel]
      const patches = reshape(rows, [batch, -1, channels * kernel * kernel]); // [B, T, C kernel kernel]
      const embedded = this.patchEmbed.forward(permuteRows(patches, geometry.order)); // [B, T, D] in window order
      return add(embedded, this.positions(geometry)); // [B, T, D]
    });
    note("tokens", tokens);
    const { c, t6 } = this.conditioning.forward(inputs); // [B, D], [B, 6, D]
    note("conditioning", c);
    note("modulation", t6);
    const rows = transpose(t6, [1, 0, 2]); // [6, B, D]
    const text = this.project(caption); // [B, L, D]
    if (text) note("caption", text);

    const { windows, tokens: perWindow } = geometry.sizes;
    const { blocks } = this;
    const tables = scope("modulation", () =>
      modulationRows(
        blocks.map(({ modulation }) => modulation),
        rows,
      ),
    ); // blocks × [6, B, D]
    const shiftedTables = blocks.flatMap(({ shiftedModulation }) => shiftedModulation ?? []);
    const shiftedRows = scope("modulation", () => modulationRows(shiftedTables, slice(rows, 0, 0, 3))); // blocks × [3, B, D]
    let z = reshape(tokens, [batch, windows, perWindow, widthOf(config)]); // [B, M, P, D]
    blocks.forEach((block, i) => {
      const index = proxyIndex && reshape(slice(proxyIndex, 0, i, i + 1), proxyIndex.shape.slice(1));
      const own = { rows: tables[i], shiftedRows: shiftedRows[i], geometry, text, keep, proxyIndex: index };
      const run = () => scope(`blocks.${i}`, () => block.forward(z, own));
      // The backward pass starts with the last block: computing its values again would save nothing.
      z = checkpointing && i + 1 < config.depth ? checkpoint(run) : run(); // [B, M, P, D]
    });
    return this.unpatchify(this.final.forward(z, c), geometry); // [B, Cout, F, H, W]
  }

  /** Tables of the token grid of these latents. */
  geometry(x: Tensor): Geometry {
    const { inChannels, patch } = this.config;
    const [, channels, frames, height, width] = x.shape;
    if (x.shape.length !== 5 || channels !== inChannels || height % patch !== 0 || width % patch !== 0) {
      throw new ShapeError(
        `ptdit: latents must be [B, ${inChannels}, F, H, W] with H and W whole multiples of the patch ${patch}, got ${showShape(x.shape)}.`,
      );
    }
    const grid = [frames, height / patch, width / patch] as const;
    const key = grid.join("x");
    const known = this.geometries.get(key) ?? new Geometry(grid, this.config);
    this.geometries.set(key, known);
    return known;
  }

  /** Position of every token, in window order. @shape -> [T, D] */
  private positions(geometry: Geometry): Tensor {
    const known = this.tables.get(geometry) ?? this.positionsOf(geometry);
    this.tables.set(geometry, known);
    return known;
  }

  private positionsOf({ grid, order }: Geometry): Tensor {
    const { config } = this;
    const width = widthOf(config);
    const scale = Math.max(1, Math.floor(config.sampleSize / 64));
    const transposed = config.compat.includes("pe_transposed");
    const sorted = () => {
      const table = positionTable(width, grid, scale, transposed);
      const rows = new Float32Array(table.length);
      order.forEach((index, position) => rows.set(table.subarray(index * width, (index + 1) * width), position * width));
      return rows;
    };
    return constant(sorted, [order.length, width]);
  }

  private project(caption: Tensor | undefined): Tensor | undefined {
    const { caption: projection } = this;
    if (!projection) return undefined;
    if (!caption)
      throw new ConfigError(`ptdit: this model reads captions; give caption [B, L, ${this.config.captionChannels}].`);
    return scope("caption", () => projection.forward(caption)); // [B, L, D]
  }

  /** Numbers of a token are (row, column, channel), the channel fastest. @source step 13. Where tokens overlap they are (channel,
   *  row, column), and what they say of a pixel is added. */
  private unpatchify(y: Tensor, { grid, inverse }: Geometry): Tensor {
    const { patch, overlap, outChannels } = this.config;
    const [batch] = y.shape;
    const [frames, rows, columns] = grid;
    const raster = permuteRows(reshape(y, [batch, frames * rows * columns, -1]), inverse); // [B, T, kernel kernel Cout]
    if (overlap > 0) {
      const kernel = kernelOf(this.config);
      const [height, width] = [rows * patch, columns * patch];
      const tokens = reshape(raster, [batch * frames, rows * columns, -1]); // [B F, h w, Cout kernel kernel]
      const pictures = fold(tokens, [height, width], [kernel, kernel], { stride: patch, padding: overlap }); // [B F, Cout, H, W]
      return transpose(reshape(pictures, [batch, frames, outChannels, height, width]), [0, 2, 1, 3, 4]); // [B, Cout, F, H, W]
    }
    const pixels = reshape(raster, [batch, frames * rows, columns, patch, patch, outChannels]); // [B, F H, W, patch, patch, Cout]
    const planes = transpose(pixels, [0, 5, 1, 3, 2, 4]); // [B, Cout, F H, patch, W, patch]
    return reshape(planes, [batch, outChannels, frames, rows * patch, columns * patch]); // [B, Cout, F, H patch, W patch]
  }
}
