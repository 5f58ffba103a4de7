import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../../../src/autograd/notes.js";
import { input, type Tensor } from "../../../src/autograd/tensor.js";
import type { Device } from "../../../src/backend/device.js";
import { wasm } from "../../../src/backend/wasm/device.js";
import { normalNumbers } from "../../../src/base/random.js";
import { PictureSet } from "../../../src/data/pictureSet.js";
import { Tokenizer } from "../../../src/data/tokenizer.js";
import { compile } from "../../../src/program/program.js";
import { type PTDiTConfig, ptditConfig } from "../../../src/ptdit/config.js";
import { flowConfig } from "../../../src/ptdit/flow.js";
import { Pipeline } from "../../../src/ptdit/pipeline.js";
import { type LayerRedundancy, measureRedundancy } from "../../../src/ptdit/redundancy/measureRedundancy.js";
import { AttentionProbe, headsOf } from "../../../src/ptdit/redundancy/probe.js";
import { softmaxRows } from "../../../src/ptdit/redundancy/rows.js";

const size = 16;
const captions = ["red heart", "green tree", "blue sea"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * size ** 2, 3, 0), (x) => Math.max(-1, Math.min(1, x)));
const data = new PictureSet({ name: "noise", size, captions, pictures });
const captioner = Tokenizer.fromCaptions(captions);
const base = { heads: 2, headDim: 16, depth: 2, patch: 2, sampleSize: size, captionChannels: 16 } as const;
const pipelineOf = (config: Partial<PTDiTConfig> = {}) =>
  new Pipeline({ model: ptditConfig({ ...base, mixing: "full", ...config }), captioner }, 1);
const flow = flowConfig({ prediction: "x" });

let device: Device;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
});
afterAll(() => device.close());

async function all(pipeline: Pipeline, options: Parameters<typeof measureRedundancy>[4]): Promise<LayerRedundancy[]> {
  const layers: LayerRedundancy[] = [];
  for await (const layer of measureRedundancy(device, pipeline, data, flow, options)) layers.push(layer);
  return layers;
}

describe("queries, keys and values of a model", () => {
  it.each<[string, Partial<PTDiTConfig>]>([
    ["with one product of all three", {}],
    ["with normalised queries and keys", { qkNorm: true }],
    ["with windows of another size", { window: [1, 4, 4] }],
  ])("%s give what its attention gives", async (_, config) => {
    const { model, text } = pipelineOf(config);
    const { length } = captioner;
    const [x, t] = [input([1, 3, 1, size, size]), input([1])];
    const [ids, keep] = [input([1, length], "i32"), input([1, length])];
    const { notes } = listen(() => model.forward({ x, t, ...text.forward(ids, keep) }));
    const outputs: Record<string, Tensor> = {};
    for (const name of ["qkv", "q", "k", "v", "attended"]) {
      const noted = notes.get(`blocks.1.window.attention.${name}`);
      if (noted) outputs[name] = noted;
    }
    const program = compile<string, string>(device, { inputs: { x, t, ids, keep }, outputs });
    const { ids: words, mask } = captioner.encode("red heart");
    const values = await program.run({ x: normalNumbers(x.size, 5, 0), t: [500], ids: words, keep: mask });
    program.dispose();
    const { order } = model.geometry(x);
    const { qkv, q, k, v, attended } = values;
    const heads = headsOf(qkv ? [qkv.data] : [q.data, k.data, v.data], order, base.heads);
    const width = base.heads * base.headDim;
    let worst = 0;
    for (const [head, own] of heads.entries()) {
      const { weights } = softmaxRows(own.q, own.k, own.headDim);
      for (const [position, raster] of order.entries())
        for (let c = 0; c < base.headDim; c++) {
          let expected = 0;
          for (let j = 0; j < order.length; j++) expected += weights[raster * order.length + j] * own.v[j * base.headDim + c];
          worst = Math.max(worst, Math.abs(expected - attended.data[position * width + head * base.headDim + c]));
        }
    }
    expect(worst).toBeLessThan(1e-5);
    expect(Math.max(...Array.from(attended.data, Math.abs))).toBeGreaterThan(0.1);
  });
});

describe("redundancy of a model", () => {
  const options = { times: [300, 900], samples: 2, window: [1, 2, 2] } as const;

  it("comes by time and layer, the same whenever it is measured, and whatever order the tokens are kept in", async () => {
    const told: number[][] = [];
    const found = await all(pipelineOf(), { ...options, onSample: (...own) => void told.push(own) });
    expect(found.map(({ t, layer }) => [t, layer])).toEqual([
      [300, 0],
      [300, 1],
      [900, 0],
      [900, 1],
    ]);
    expect(told).toEqual([1, 2, 3, 4].map((done) => [done, 4]));
    for (const { rows, random, errors, pairs, verdict } of found) {
      for (const { spread, divergence, cosine, mass } of [rows, random]) {
        for (const measure of [spread, divergence, cosine, mass]) expect(measure).toHaveLength(4);
        for (const [first, middle, third] of [...spread, ...divergence, ...mass])
          expect([0 <= first, first <= middle, middle <= third, third <= 1]).toEqual([true, true, true, true]);
      }
      expect(Math.max(...Object.values(errors).flat(), ...pairs)).toBeLessThan(2);
      expect(verdict.heads * base.heads).toBe(Math.round(verdict.heads * base.heads));
    }
    const again = await all(pipelineOf({ window: [1, 4, 4] }), options);
    for (const [i, { rows, errors }] of again.entries()) {
      expect(rows.far[1]).toBeCloseTo(found[i].rows.far[1], 5);
      expect(errors.both[1]).toBeCloseTo(found[i].errors.both[1], 5);
    }
  });

  it("is measured where all tokens see each other and some are far, and nowhere else", async () => {
    await expect(all(pipelineOf({ mixing: "proxy" }), options)).rejects.toThrow(
      /this model's mixing is "proxy"\. Train one with/,
    );
    await expect(all(pipelineOf(), { ...options, window: [1, 4, 4] })).rejects.toThrow(
      /a grid of 1x8x8 tokens has windows of 1x4x4 without any\. Have at least 4 windows along an axis/,
    );
    await expect(all(pipelineOf(), { ...options, times: [0] })).rejects.toThrow(/times must be a list of numbers above 0/);
    await expect(all(pipelineOf(), { ...options, step: 1 } as never)).rejects.toThrow(/unknown option "step"/);
  });

  it("holds heads of every layer, with the same noise whenever asked", async () => {
    const probe = new AttentionProbe(device, pipelineOf(), data, flow, [1, 2, 2]);
    const layers = await probe.heads(1, 500, 0);
    expect(layers.map((heads) => heads.map(({ q }) => q.length))).toEqual([
      [64 * 16, 64 * 16],
      [64 * 16, 64 * 16],
    ]);
    expect(await probe.heads(1, 500, 0)).toEqual(layers);
    expect((await probe.heads(1, 500, 1))[0][0].q).not.toEqual(layers[0][0].q);
    probe.dispose();
  });
});
