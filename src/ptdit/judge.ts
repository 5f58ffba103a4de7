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

/** Draws captions of a data set, and holds the samples against its pictures.
 *  @param pipeline what the generator draws with
 *  @throws ConfigError when an option is unknown or against its rule */
export async function judge(
  generator: Generator,
  pipeline: Pipeline,
  data: Dataset,
  options: JudgeOptions = {},
): Promise<Judgement> {
  checkValue("judge", "the generator", generator, { text: "a Generator", holds: (value) => value instanceof Generator });
  checkPipeline("judge", pipeline);
  checkSamples("judge", data);
  checkValue("judge", "the options", options, object);
  const { captioner, codec, model } = pipeline;
  const { places = [...data.captions.keys()], ...how } = options;
  const prompts = places.map((i) => data.captions[i]);
  const samples = await generator.pictures(prompts, { ...how, streams: places }); // [n, C, H, W]
  const found = await retrieval(samples, data, captioner, places);
  return { ...found, ...(await fidelity(samples, data, model.config.patch * codec.factor, captioner, places)) };
}
