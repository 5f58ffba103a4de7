import { checkValue, object } from "../base/options.js";
import type { Dataset } from "../data/dataset.js";
import { checkSamples } from "./checks.js";
import { type GenerateOptions, Generator } from "./generate.js";

export interface JudgeOptions extends Omit<GenerateOptions, "streams"> {
  /** Which of the data set's captions are drawn; all if not given. Each is drawn as it would be among all. */
  readonly places?: readonly number[];
}

/** Samples of captions of a data set, each as it would be among all.
 *  @param where what an error begins with
 *  @shape -> [n, C, H, W]
 *  @units -1..1
 *  @throws ConfigError as `Generator.pictures`, or when an argument is not what it should be */
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
