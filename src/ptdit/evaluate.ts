import { input } from "../autograd/tensor.js";
import { checkDevice, type Device } from "../backend/device.js";
import { normalNumbers } from "../base/random.js";
import { type Dataset, gatherSamples } from "../data/dataset.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { compile } from "../program/program.js";
import { checkData } from "./checks.js";
import { encodeAll } from "./encodedCaptions.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import { flowLosses } from "./losses.js";
import { ownPictures, squaredDistance } from "./ownPictures.js";
import { paths } from "./paths/index.js";
import { checkPipeline, type Pipeline } from "./pipeline.js";

/** How often a sample's nearest training picture is one that its caption belongs to. */
export interface Retrieval {
  readonly captions: number;
  /** Captions that differ to the model: any picture of an equal caption is a right one. */
  readonly distinctCaptions: number;
  /** Parts from 0 to 1. */
  readonly top1: number;
  readonly top5: number;
  /** Captions none of whose pictures was the nearest, and what was; without `nearest` the sample is not finite. */
  readonly misses: readonly { readonly caption: string; readonly nearest?: string }[];
}

/**
 * Ranks training samples by their mean square distance to each sample. Captions are equal if the tokenizer makes the same tokens of them;
 * without one, if they have the same words.
 * @shape samples [n, C, F, H, W], one a caption of `data`, or of those at `places`
 * @param places which captions were drawn: their pictures are looked for among all
 * @throws ConfigError when there are no such places, or the samples are not as many numbers as their pictures
 */
export async function retrieval(
  samples: Float32Array,
  data: Dataset,
  tokenizer?: Tokenizer,
  places?: readonly number[],
): Promise<Retrieval> {
  const { pictures, numbers, read, places: drawn } = await ownPictures("retrieval", samples, data, tokenizer, places);
  let [top1, top5] = [0, 0];
  const misses: { caption: string; nearest?: string }[] = [];
  for (const [i, place] of drawn.entries()) {
    const caption = data.captions[place];
    const distances = Float64Array.from({ length: data.count }, (_, j) =>
      squaredDistance(samples, i * numbers, pictures, j * numbers, numbers),
    );
    let [own, nearest] = [Number.POSITIVE_INFINITY, -1];
    for (const [j, d] of distances.entries()) {
      if (read[j] === read[place]) own = Math.min(own, d);
      if (Number.isFinite(d) && !(d >= distances[nearest])) nearest = j;
    }
    // A distance that is not finite is never a hit.
    const closer = Number.isFinite(own) ? distances.filter((d) => d < own).length : data.count;
    if (closer === 0) top1++;
    else misses.push({ caption, ...(nearest >= 0 ? { nearest: data.captions[nearest] } : {}) });
    if (closer < 5 && Number.isFinite(own)) top5++;
  }
  const captions = drawn.length;
  const distinctCaptions = new Set(drawn.map((place) => read[place])).size;
  return { captions, distinctCaptions, top1: top1 / captions, top5: top5 / captions, misses };
}

/** Bins of the noise part u. */
export const timestepBins = 10;

/** Mean loss of every tenth of the noise part u, on at most 64 pictures and fixed noise.
 *  @shape -> [timestepBins] */
export async function lossByTimestep(device: Device, pipeline: Pipeline, flow: FlowConfig, data: Dataset): Promise<number[]> {
  checkDevice("lossByTimestep", device);
  checkPipeline("lossByTimestep", pipeline);
  checkData("lossByTimestep", data, pipeline);
  const { captioner: tokenizer, codec } = pipeline;
  const { prediction } = flowConfig(flow);
  const batch = Math.min(16, data.count);
  const batches = Math.min(4, Math.floor(data.count / batch));
  const samples = input([batch, ...data.shape]);
  const x0 = codec.encode(samples); // [B, C, F, H, W]
  const inputs = {
    samples,
    noise: input(x0.shape),
    ids: input([batch, tokenizer.length], "i32"),
    keep: input([batch, tokenizer.length]),
    u: input([batch]),
  };
  const { noise, u } = inputs;
  const text = pipeline.text.forward(inputs.ids, inputs.keep);
  const losses = flowLosses((x, t) => pipeline.forward(x, t, text), { x0, noise, u }, paths[prediction]); // [B]
  const program = compile(device, { inputs, outputs: { losses } });
  const { ids, keep } = encodeAll(tokenizer, data.captions);
  try {
    const result: number[] = [];
    for (let bin = 0; bin < timestepBins; bin++) {
      let sum = 0;
      for (let part = 0; part < batches; part++) {
        const from = part * batch;
        const { data: own } = (
          await program.run({
            samples: await gatherSamples(
              data,
              Int32Array.from({ length: batch }, (_, i) => from + i),
            ),
            noise: normalNumbers(noise.size, 0, part),
            ids: ids.subarray(from * tokenizer.length, (from + batch) * tokenizer.length),
            keep: keep.subarray(from * tokenizer.length, (from + batch) * tokenizer.length),
            u: new Float32Array(batch).fill((bin + 0.5) / timestepBins),
          })
        ).losses;
        sum += Float64Array.from(own).reduce((total, loss) => total + loss, 0) / batch;
      }
      result.push(sum / batches);
    }
    return result;
  } finally {
    program.dispose();
  }
}
