import { input } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import { ConfigError } from "../base/errors.js";
import { normalNumbers } from "../base/random.js";
import type { Tokenizer } from "../data/tokenizer.js";
import type { FlowConfig } from "./flow.js";
import { type OnStep, Sampler } from "./sampler.js";
import type { TextModel } from "./textModel.js";
import { encodeAll } from "./trainer.js";

export interface GenerateOptions {
  /** Denoising steps. */
  readonly steps?: number;
  /** 1: no guidance, half the work. */
  readonly guidance?: number;
  /** What to stay away from; empty: nothing in particular. */
  readonly negative?: string;
  readonly seed?: number;
  /** Which of the seed's streams of random numbers each picture starts from, one a prompt; without them a prompt's place in the list. */
  readonly streams?: readonly number[];
  readonly method?: "euler" | "heun";
  readonly onStep?: OnStep;
}

/** Words of a prompt that the model never saw, and the nearest that it did. */
export interface UnknownWord {
  readonly word: string;
  readonly nearest: readonly string[];
}

/** Finds words the tokenizer does not know. */
export function unknownWords(tokenizer: Tokenizer, prompts: readonly string[]): UnknownWord[] {
  const words = new Set(prompts.flatMap((prompt) => tokenizer.encode(prompt).unknown));
  return [...words].map((word) => ({ word, nearest: tokenizer.nearest(word) }));
}

/** Pictures a compiled sampler draws at once: fewer programs, bounded memory. */
const largestBatch = 16;

/** Draws pictures from captions with a trained model; its programs are compiled once and kept. */
export class Generator {
  private readonly samplers = new Map<string, Sampler<"ids" | "keep" | "negativeIds" | "negativeKeep">>();

  constructor(
    private readonly device: Device,
    private readonly model: TextModel,
    private readonly tokenizer: Tokenizer,
    private readonly flow: FlowConfig,
    /** Side of a picture, in pixels. */
    private readonly size: number,
  ) {}

  /**
   * One picture a prompt. A picture depends on its prompt, the seed and its stream (its place in the list), not on its neighbours.
   * @shape -> [prompts, C, size, size] in -1..1
   * @throws ConfigError when there is not one stream, a whole number from 0 to 2³² - 1, for every prompt
   */
  async pictures(prompts: readonly string[], options: GenerateOptions = {}): Promise<Float32Array> {
    const { steps = 30, guidance = 3, negative = "", seed = 0, method = "euler", onStep } = options;
    const channels = this.model.model.config.inChannels;
    const pixels = channels * this.size ** 2;
    const streams = options.streams ?? prompts.map((_, i) => i);
    if (
      streams.length !== prompts.length ||
      !streams.every((stream) => Number.isInteger(stream) && stream >= 0 && stream < 2 ** 32)
    ) {
      throw new ConfigError(
        `pictures: streams must be whole numbers from 0 to 2³² - 1, one for each of ${prompts.length} prompts; got [${streams}].`,
      );
    }
    const result = new Float32Array(prompts.length * pixels);
    for (let start = 0; start < prompts.length; start += largestBatch) {
      const part = prompts.slice(start, start + largestBatch);
      const sampler = this.sampler(part.length, guidance !== 1, method);
      const own = encodeAll(this.tokenizer, part);
      const against = encodeAll(
        this.tokenizer,
        part.map(() => negative),
      );
      const noise = new Float32Array(part.length * pixels);
      part.forEach((_, i) => noise.set(normalNumbers(pixels, seed, streams[start + i]), i * pixels));
      const inputs = { ids: own.ids, keep: own.keep, negativeIds: against.ids, negativeKeep: against.keep };
      const drawn: HostArray = await sampler.sample(inputs, { steps, guidance, noise, ...(onStep ? { onStep } : {}) });
      result.set(drawn, start * pixels);
    }
    return result;
  }

  dispose(): void {
    for (const sampler of this.samplers.values()) sampler.dispose();
    this.samplers.clear();
  }

  private sampler(batch: number, guided: boolean, method: "euler" | "heun") {
    const key = `${batch} ${guided} ${method}`;
    const known = this.samplers.get(key);
    if (known) return known;
    const { length } = this.tokenizer;
    const captions = () => ({ ids: input([batch, length], "i32"), keep: input([batch, length]) });
    const [own, against] = [captions(), captions()];
    const sampler = new Sampler(
      this.device,
      guided ? this.model.predictor(own, against) : this.model.predictor(own),
      { ids: own.ids, keep: own.keep, negativeIds: against.ids, negativeKeep: against.keep },
      { shape: [batch, this.model.model.config.inChannels, 1, this.size, this.size], flow: this.flow, guided, method },
    );
    this.samplers.set(key, sampler);
    return sampler;
  }
}
