import { input } from "../autograd/tensor.js";
import { checkDevice, type Device } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import { ConfigError } from "../base/errors.js";
import { joinedIn } from "../base/joined.js";
import { callable, checkOptions, checkValue, type Rules, seedRule, text, whole } from "../base/options.js";
import { normalNumbers } from "../base/random.js";
import { sizeOf } from "../base/shape.js";
import { Turns } from "../base/turns.js";
import type { SampleShape } from "../data/dataset.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { compile, type Program } from "../program/program.js";
import { checkTexts, checkTokenizer } from "./checks.js";
import { encodeAll } from "./encodedCaptions.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import { checkPipeline, type Pipeline } from "./pipeline.js";
import { type OnStep, Sampler, type SamplerOptions } from "./sampler.js";
import { type SamplingConfig, samplingConfig, samplingRules } from "./sampling.js";

export interface GenerateOptions extends Partial<SamplingConfig> {
  /** What to stay away from; empty: nothing in particular. */
  readonly negative?: string;
  readonly seed?: number;
  /** Which of the seed's streams of random numbers each picture starts from, one a prompt; without them a prompt's place in the list. */
  readonly streams?: readonly number[];
  readonly onStep?: OnStep;
}

/** Options with their defaults. */
type Drawing = Required<Omit<GenerateOptions, "onStep">> & Pick<GenerateOptions, "onStep">;

const rules: Rules<GenerateOptions> = {
  ...samplingRules,
  negative: text,
  seed: seedRule,
  streams: {
    text: "a list of whole numbers from 0 to 2^32 - 1",
    holds: (value) => Array.isArray(value) && value.every(whole(0, 2 ** 32 - 1).holds),
  },
  onStep: callable,
};

/** Words of a prompt that the model never saw, and the nearest that it did. */
export interface UnknownWord {
  readonly word: string;
  readonly nearest: readonly string[];
}

/** Finds words the tokenizer does not know. */
export function unknownWords(tokenizer: Tokenizer, prompts: readonly string[]): UnknownWord[] {
  checkTokenizer("unknownWords", tokenizer);
  checkTexts("unknownWords", "prompt", prompts);
  const words = new Set(prompts.flatMap((prompt) => tokenizer.encode(prompt).unknown));
  return [...words].map((word) => ({ word, nearest: tokenizer.nearest(word) }));
}

/** Pictures a compiled sampler draws at once: fewer programs, bounded memory. */
export const largestBatch = 16;

/** Draws pictures from captions with a trained model; its programs are compiled once and kept. */
export class Generator {
  private readonly samplers = new Map<string, Sampler<"ids" | "keep" | "negativeIds" | "negativeKeep">>();
  private readonly turns = new Turns("generator", "Make a new one.");
  private readonly decoders = new Map<number, Program<"z", "samples">>();
  private readonly flow: FlowConfig;
  private readonly sampling: SamplingConfig;
  /** Of one picture. */
  private readonly latents: SampleShape;

  /** @throws ConfigError when the size is not a whole number of the model's patches, or something is not what it should be */
  constructor(
    private readonly device: Device,
    private readonly pipeline: Pipeline,
    flow: FlowConfig,
    /** Side of a picture, in pixels. */
    size: number,
    /** How to draw where nobody says otherwise: as the run was made to, say. */
    sampling: Partial<SamplingConfig> = {},
  ) {
    checkDevice("generator", device);
    checkPipeline("generator", pipeline);
    checkValue("generator", "size", size, whole(1));
    const patch = pipeline.model.config.patch * pipeline.codec.factor;
    if (size % patch !== 0)
      throw new ConfigError(
        `generator: size ${size} is not a whole number of patches of ${patch}. Choose a multiple of ${patch}.`,
      );
    this.flow = flowConfig(flow);
    this.sampling = samplingConfig(sampling);
    const side = size / pipeline.codec.factor;
    this.latents = [pipeline.model.config.inChannels, 1, side, side];
  }

  /**
   * One picture a prompt. A picture depends on its prompt, the seed and its stream (its place in the list), not on its neighbours.
   * Calls that come while another is under way wait for their turn. The model's weights are read at every step: train it before or
   * afterwards.
   * @shape -> [prompts, C, size, size] in -1..1
   * @throws ConfigError when there is no prompt, or an option is unknown, against its rule, or would have no effect
   * @throws DeviceError when the generator is disposed of
   */
  async pictures(prompts: readonly string[], options: GenerateOptions = {}): Promise<Float32Array> {
    this.turns.check();
    checkTexts("pictures", "prompt", prompts);
    if (prompts.length === 0)
      throw new ConfigError('pictures: got no prompt. Give at least one; [""] draws without a caption.');
    checkOptions("pictures", options, rules);
    const {
      steps,
      guidance,
      guidanceInterval,
      cfgZero,
      method,
      negative = "",
      seed = 0,
      onStep,
    } = { ...this.sampling, ...options };
    if (guidance === 1 && negative !== "")
      throw new ConfigError(
        "pictures: a negative prompt has no effect without guidance, got guidance 1. Raise it, or leave it out.",
      );
    const streams = options.streams ?? prompts.map((_, i) => i);
    if (streams.length !== prompts.length)
      throw new ConfigError(`pictures: streams must be one for each of ${prompts.length} prompts, got ${streams.length}.`);
    const how = { steps, guidance, guidanceInterval, cfgZero, method };
    const run = { ...how, negative, seed, streams: [...streams], ...(onStep && { onStep }) };
    const own = [...prompts];
    return this.turns.take(() => this.draw(own, run));
  }

  private async draw(
    prompts: readonly string[],
    { negative, seed, streams, cfgZero, method, ...run }: Drawing,
  ): Promise<Float32Array> {
    const { captioner } = this.pipeline;
    const numbers = sizeOf(this.latents);
    const drawn: Float32Array[] = [];
    for (let start = 0; start < prompts.length; start += largestBatch) {
      const part = prompts.slice(start, start + largestBatch);
      const sampler = this.sampler(part.length, { guided: run.guidance !== 1, cfgZero, method });
      const own = encodeAll(captioner, part);
      const against = encodeAll(
        captioner,
        part.map(() => negative),
      );
      const noise = new Float32Array(part.length * numbers);
      part.forEach((_, i) => noise.set(normalNumbers(numbers, seed, streams[start + i]), i * numbers));
      const inputs = { ids: own.ids, keep: own.keep, negativeIds: against.ids, negativeKeep: against.keep };
      drawn.push(await this.decoded(await sampler.sample(inputs, { ...run, noise }), part.length));
    }
    return joinedIn((length) => new Float32Array(length), drawn);
  }

  /** Samples that latents stand for. @shape latents [B, c, f, h, w] -> [B, C, F, size, size] */
  private async decoded(latents: HostArray, batch: number): Promise<Float32Array> {
    const decoder = this.decoder(batch);
    return Float32Array.from(decoder ? (await decoder.run({ z: latents })).samples.data : latents);
  }

  /** The codec's program; none where latents are the samples. */
  private decoder(batch: number): Program<"z", "samples"> | undefined {
    const known = this.decoders.get(batch);
    if (known) return known;
    const z = input([batch, ...this.latents]);
    const samples = this.pipeline.codec.decode(z);
    if (samples === z) return undefined;
    const decoder = compile(this.device, { inputs: { z }, outputs: { samples } });
    this.decoders.set(batch, decoder);
    return decoder;
  }

  /** Gives all memory back, as soon as the call under way is done; those that wait are refused. Again it does nothing. */
  dispose(): void {
    this.turns.dispose(() => {
      for (const own of [...this.samplers.values(), ...this.decoders.values()]) own.dispose();
      this.samplers.clear();
      this.decoders.clear();
    });
  }

  private sampler(batch: number, how: Pick<SamplerOptions, "guided" | "cfgZero" | "method">) {
    const key = `${batch} ${how.guided} ${how.guided && how.cfgZero} ${how.method}`;
    const known = this.samplers.get(key);
    if (known) return known;
    const { length } = this.pipeline.captioner;
    const captions = () => ({ ids: input([batch, length], "i32"), keep: input([batch, length]) });
    const [own, against] = [captions(), captions()];
    const { pipeline, flow } = this;
    const { guided } = how;
    const plain = pipeline.predictor(own);
    const sampler = new Sampler(
      this.device,
      guided ? pipeline.predictor(own, against) : plain,
      { ids: own.ids, keep: own.keep, negativeIds: against.ids, negativeKeep: against.keep },
      { shape: [batch, ...this.latents], flow, ...how, ...(guided && { unguided: plain }) },
    );
    this.samplers.set(key, sampler);
    return sampler;
  }
}
