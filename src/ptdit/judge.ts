/** A model judged by what it draws. */
import { checkValue, object } from "../base/options.js";
import type { Dataset } from "../data/dataset.js";
import { checkSamples } from "./checks.js";
import { type Retrieval, retrieval } from "./evaluate.js";
import { type Fidelity, fidelity } from "./fidelity.js";
import { type GenerateOptions, Generator } from "./generate.js";
import { checkPipeline, type Pipeline } from "./pipeline.js";

/** Whether samples show the right pictures, and how like them they look. */
export interface Judgement extends Retrieval, Fidelity {}

export interface JudgeOptions extends Omit<GenerateOptions, "streams"> {
  /** Which of the data set's captions are drawn; all if not given. Each is drawn as it would be among all. */
  readonly places?: readonly number[];
}

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

/** Samples of captions of a data set, each as it would be among all.
 *  @shape -> [n, C, H, W]
 *  @units -1..1 */
export async function drawCaptions(
  where: string,
  generator: Generator,
  data: Dataset,
  options: JudgeOptions,
): Promise<Float32Array> {
  checkValue(where, "the generator", generator, { text: "a Generator", holds: (value) => value instanceof Generator });
  checkSamples(where, data);
  checkValue(where, "the options", options, object);
  const { places = [...data.captions.keys()], ...how } = options;
  return generator.pictures(
    places.map((i) => data.captions[i]),
    { ...how, streams: places },
  );
}
