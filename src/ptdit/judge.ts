/** A model judged by what it draws. */
import type { Dataset } from "../data/dataset.js";
import { drawCaptions, type JudgeOptions } from "./drawCaptions.js";
import { type Retrieval, retrieval } from "./evaluate.js";
import { type Fidelity, fidelity } from "./fidelity.js";
import type { Generator } from "./generate.js";
import { checkPipeline, type Pipeline } from "./pipeline.js";

/** Whether samples show the right pictures, and how like them they look. */
export interface Judgement extends Retrieval, Fidelity {}

export type { JudgeOptions };

/** Holds samples against the pictures of a data set.
 *  @shape samples [n, C, F, H, W], one a caption of `data`, or of those at `places`
 *  @units samples: -1..1
 *  @param pipeline what drew them
 *  @throws ConfigError as `retrieval` and `fidelity` */
export async function judgeSamples(
  samples: Float32Array,
  pipeline: Pipeline,
  data: Dataset,
  places?: readonly number[],
): Promise<Judgement> {
  checkPipeline("judgeSamples", pipeline);
  const { captioner, codec, model } = pipeline;
  const found = await retrieval(samples, data, captioner, places);
  return { ...found, ...(await fidelity(samples, data, model.config.patch * codec.factor, captioner, places)) };
}

/** Draws captions of a data set, and holds the samples against its pictures.
 *  @param pipeline what the generator draws with
 *  @throws ConfigError when an option is unknown or against its rule */
export async function judge(
  generator: Generator,
  pipeline: Pipeline,
  data: Dataset,
  options: JudgeOptions = {},
): Promise<Judgement> {
  checkPipeline("judge", pipeline);
  return judgeSamples(await drawCaptions("judge", generator, data, options), pipeline, data, options.places);
}
