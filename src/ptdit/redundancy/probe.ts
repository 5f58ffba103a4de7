import { listen } from "../../autograd/notes.js";
import { input, type Tensor } from "../../autograd/tensor.js";
import { checkDevice, type Device } from "../../backend/device.js";
import { ConfigError } from "../../base/errors.js";
import { normalNumbers } from "../../base/random.js";
import type { Dataset } from "../../data/dataset.js";
import { compile, type Program } from "../../program/program.js";
import { checkData } from "../checks.js";
import { encodeAll } from "../encodedCaptions.js";
import { type FlowConfig, flowConfig } from "../flow.js";
import { flowLosses } from "../losses.js";
import { paths } from "../paths/index.js";
import { checkPipeline, type Pipeline } from "../pipeline.js";
import type { Triple } from "../windows.js";
import { attentionRings, lastNearRing, type Rings } from "./rings.js";
import type { Head } from "./rows.js";

/** Queries, keys and values of one layer and one sample as a device gives them, in the model's order of tokens: three tables, or one
 *  whose columns they are. @shape [N, D] each, or [N, 3D] */
export type Projected =
  | readonly [q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>]
  | readonly [qkv: ArrayLike<number>];

/** The heads of a layer, tokens in raster order.
 *  @shape order [N]: raster index of every token of the tables -> heads × [N, headDim]; heads are consecutive slices of D */
export function headsOf(tables: Projected, order: Int32Array, heads: number): Head[] {
  const width = tables[0].length / order.length / (tables.length === 1 ? 3 : 1);
  const headDim = width / heads;
  const [q, k, v] = tables.length === 1 ? [tables[0], tables[0], tables[0]] : tables;
  const row = tables.length === 1 ? 3 * width : width;
  const part = (table: ArrayLike<number>, from: number): Float64Array => {
    const result = new Float64Array(order.length * headDim);
    order.forEach((raster, position) => {
      for (let c = 0; c < headDim; c++) result[raster * headDim + c] = table[position * row + from + c];
    });
    return result;
  };
  const after = tables.length === 1 ? width : 0;
  return Array.from({ length: heads }, (_, head) => {
    const from = head * headDim;
    return { q: part(q, from), k: part(k, after + from), v: part(v, 2 * after + from), headDim };
  });
}

/** What a model's full attentions read and give for noisy pictures of a data set: a program whose outputs are queries, keys and values of
 *  every layer. */
export class AttentionProbe {
  readonly rings: Rings;
  readonly layers: number;
  private readonly program: Program;
  /** Names of each layer's outputs. */
  private readonly outputs: readonly (readonly string[])[];
  private readonly order: Int32Array;
  private readonly noise: number;

  /**
   * @param window whose tokens' rows are held against each other, whatever the model's own is
   * @throws ConfigError when the model's tokens do not all see each other, or its grid has no far keys
   */
  constructor(
    device: Device,
    private readonly pipeline: Pipeline,
    private readonly data: Dataset,
    flow: FlowConfig,
    window: Triple,
  ) {
    checkDevice("redundancy", device);
    checkPipeline("redundancy", pipeline);
    checkData("redundancy", data, pipeline);
    const { captioner, codec, model } = pipeline;
    const { mixing, depth } = model.config;
    if (mixing !== "full")
      throw new ConfigError(
        `redundancy: it is measured where all tokens see each other, but this model's mixing is "${mixing}". Train one with --mixing full.`,
      );
    const samples = input([1, ...data.shape]);
    const x0 = codec.encode(samples); // [1, C, F, H, W]
    const [noise, u] = [input(x0.shape), input([1])];
    const [ids, keep] = [input([1, captioner.length], "i32"), input([1, captioner.length])];
    const { grid, order } = model.geometry(x0);
    this.rings = attentionRings(grid, window);
    checkFar(this.rings);
    this.order = order;
    this.layers = depth;
    this.noise = noise.size;
    const { notes } = listen(() =>
      flowLosses(
        (x, t) => pipeline.forward(x, t, pipeline.text.forward(ids, keep)),
        { x0, noise, u },
        paths[flowConfig(flow).prediction],
      ),
    );
    const noted = Array.from({ length: depth }, (_, i) => notedProjections(notes, i));
    this.outputs = noted.map((layer) => layer.map(([name]) => name));
    const all: Readonly<Record<string, Tensor>> = Object.fromEntries(noted.flat());
    this.program = compile<string, string>(device, { inputs: { samples, noise, u, ids, keep }, outputs: all });
  }

  /** Heads of every layer for the picture at a place of the data set, mixed with noise to t. A picture's noise is the same at all times.
   *  @shape -> [layers][heads]
   *  @units t: 0 (data) .. 1000 (noise) */
  async heads(place: number, t: number, seed: number): Promise<Head[][]> {
    const { pipeline, data, program, noise, order } = this;
    const values = await program.run({
      samples: await data.sample(place),
      noise: normalNumbers(noise, seed, place),
      u: [t / 1000],
      ...encodeAll(pipeline.captioner, [data.captions[place]]),
    });
    return this.outputs.map((names) => {
      const [first, ...others] = names.map((name) => values[name].data);
      const tables: Projected = others.length === 2 ? [first, others[0], others[1]] : [first];
      return headsOf(tables, order, pipeline.model.config.heads);
    });
  }

  /** Gives the program's memory back. */
  dispose(): void {
    this.program.dispose();
  }
}

/** What a layer's full attention noted: queries, keys and values, together or apart. */
function notedProjections(notes: ReadonlyMap<string, Tensor>, layer: number): [name: string, x: Tensor][] {
  return ["qkv", "q", "k", "v"].flatMap((name) => {
    const x = notes.get(`blocks.${layer}.window.attention.${name}`);
    return x ? [[`${layer}.${name}`, x] as [string, Tensor]] : [];
  });
}

/** @throws ConfigError when a window sees no key that is far */
function checkFar({ grid, window, ringOf, windows }: Rings): void {
  for (let w = 0; w < windows; w++) {
    if (ringOf(w).some((r) => r > lastNearRing)) continue;
    throw new ConfigError(
      `redundancy: far keys lie beyond a window's neighbours, but a grid of ${grid.join("x")} tokens has windows of ${window.join("x")} without any. ` +
        "Have at least 4 windows along an axis: larger pictures, smaller patches or smaller windows.",
    );
  }
}
