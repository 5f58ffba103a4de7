/** Which model is counted, and at what size. */
import { readFile } from "node:fs/promises";
import { ConfigError, FileError, messageOf } from "../../src/base/errors.js";
import { loadCheckpoint } from "../../src/node/checkpoint.js";
import { complexity, paperTextTokens } from "../../src/ptdit/complexity/complexity.js";
import type { Complexity } from "../../src/ptdit/complexity/counts.js";
import { latentPixels, latentsOf, paperWindow } from "../../src/ptdit/complexity/paper.js";
import { type RivalName, rivalComplexity, rivals } from "../../src/ptdit/complexity/rivals.js";
import { fromReleasedConfig, type PTDiTConfig, ptditConfig } from "../../src/ptdit/config.js";
import { PTDiT } from "../../src/ptdit/model.js";
import { presetOf } from "../../src/ptdit/presets.js";
import type { Triple } from "../../src/ptdit/windows.js";
import { captionTokens } from "../../src/ptdit/workload.js";
import { filesOf } from "../run.js";

export interface SubjectOptions {
  readonly preset?: string | undefined;
  readonly config?: string | undefined;
  readonly run?: string | undefined;
  readonly rival?: RivalName | undefined;
  /** @units pixels */
  readonly image?: number | undefined;
  readonly video?: Video | undefined;
  readonly window?: Triple | undefined;
  readonly textTokens?: number | undefined;
}

/** Latent frames, and the side of the picture in pixels. */
export interface Video {
  readonly frames: number;
  readonly pixels: number;
}

/** A model, counted. */
export interface Counted {
  readonly name: string;
  /** Frames, rows and columns. */
  readonly latents: Triple;
  /** Frames, rows and columns of tokens. */
  readonly grid: Triple;
  readonly window?: Triple;
  readonly textTokens: number;
  readonly counts: Complexity;
  /** Where the shapes of a rival are from, and what of them is not certain. */
  readonly source?: string;
  readonly uncertain?: string;
  /** What another count of it may leave out. */
  readonly note?: string;
  /** Of a model of ours. */
  readonly model?: PTDiT;
}

/** A model of ours before it has a size. */
interface Own {
  readonly name: string;
  readonly config: PTDiTConfig;
  readonly textTokens: number;
  /** Side of the picture where nobody says otherwise, in pixels. */
  readonly side: number;
}

/** Pixels of a picture to one latent: the autoencoder's, where the model does not read colours. */
const pixelsOfLatent = ({ inChannels }: PTDiTConfig): number => (inChannels === 3 ? 1 : latentPixels);

/** Counts what is asked for.
 *  @throws ConfigError when no model is named, or one does not fit its size */
export async function countSubject(options: SubjectOptions): Promise<Counted> {
  const { rival } = options;
  return rival === undefined ? countOwn(await ownOf(options), options) : countRival(rival, options);
}

function countRival(name: RivalName, { image, video, window: given, textTokens }: SubjectOptions): Counted {
  const { title, windows, textTokens: usual, source, uncertain, note } = rivals[name];
  const { frames, pixels } = video ?? { frames: 1, pixels: image ?? 256 };
  const latents = latentsOf(pixels, frames);
  const window = given ?? (windows ? paperWindow(pixels, frames) : undefined);
  const counts = rivalComplexity(name, { latents, ...(window && { window }), ...(textTokens && { textTokens }) });
  return {
    ...{ name: title, latents, grid: [frames, latents[1] / 2, latents[2] / 2] },
    ...(window && { window }),
    ...{ textTokens: textTokens ?? usual, counts, source },
    ...(uncertain && { uncertain }),
    ...(note && { note }),
  };
}

function countOwn({ name, config, textTokens: usual, side }: Own, options: SubjectOptions): Counted {
  const pixel = pixelsOfLatent(config);
  const { frames, pixels } = options.video ?? { frames: 1, pixels: options.image ?? side };
  if (pixels % (pixel * config.patch) !== 0)
    throw new ConfigError(
      `audit: ${name} has tokens of ${pixel * config.patch} pixels, ${pixels} are not whole ones. Choose a multiple of them.`,
    );
  const latents: Triple = [frames, pixels / pixel, pixels / pixel];
  const grid: Triple = [frames, latents[1] / config.patch, latents[2] / config.patch];
  // The paper's models have a window for every size.
  const window = options.window ?? (pixel === 1 ? config.window : paperWindow(pixels, frames));
  const proxyWindow = options.window || pixel > 1 ? window : config.proxyWindow;
  const model = new PTDiT(ptditConfig({ ...config, window, proxyWindow }));
  if (config.captionChannels === null && options.textTokens !== undefined)
    throw new ConfigError(`audit: ${name} reads no captions, got ${options.textTokens} tokens. Leave --text-tokens out.`);
  const textTokens = config.captionChannels === null ? 0 : (options.textTokens ?? usual);
  const counts = complexity(model, { latents, ...(textTokens > 0 && { textTokens }) });
  return { name, latents, grid, window, textTokens, counts, model };
}

async function ownOf({ preset, config, run }: SubjectOptions): Promise<Own> {
  if (run !== undefined) {
    const { model, size, tokenizer } = (await loadCheckpoint((await filesOf(run)).checkpoint, { parts: [] })).run;
    return { name: run, config: model, textTokens: tokenizer.length, side: size };
  }
  if (config !== undefined) {
    const own = await readConfig(config);
    return { name: config, config: own, textTokens: paperTextTokens, side: own.sampleSize * pixelsOfLatent(own) };
  }
  if (preset === undefined)
    throw new ConfigError("audit: nothing says which model. Give --preset, --config, --run or --rival, or --all.");
  const { config: own, side, kind } = presetOf(preset);
  return {
    ...{ name: preset, config: own, side: side * pixelsOfLatent(own) },
    textTokens: kind === "pixels" ? captionTokens : paperTextTokens,
  };
}

/** A configuration in our words, or in those of the released code. */
async function readConfig(path: string): Promise<PTDiTConfig> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new FileError(`${path}: cannot be read: ${messageOf(error)}. Give a file of settings as JSON.`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FileError(`${path}: is no JSON: ${messageOf(error)}. Give settings such as { "heads": 4, "depth": 6 }.`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new FileError(`${path}: must be an object of settings, such as { "heads": 4, "depth": 6 }.`);
  return "num_heads" in json ? fromReleasedConfig(json) : ptditConfig(json);
}
