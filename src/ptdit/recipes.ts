/** How a model learns and draws: settings that were measured together, by name. Options override them one by one. */
import { checkValue, keysOf, whole } from "../base/options.js";
import type { PTDiTConfig } from "./config.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import { type SamplingConfig, samplingConfig } from "./sampling.js";
import type { SpeedrunCourse } from "./speedrun.js";
import { defaultTraining, type TrainingConfig } from "./trainingConfig.js";

export interface Recipe {
  readonly about: string;
  /** What it changes of a preset's model. */
  model(preset: PTDiTConfig): Partial<PTDiTConfig>;
  readonly flow: FlowConfig;
  readonly training: TrainingConfig;
  readonly sampling: SamplingConfig;
  /** How often it is to see each picture: after fewer times pictures are not clean yet. */
  readonly passes: number;
  /** Its course in the speedrun: the shortest, to the next 25 steps, that reaches the goal. */
  readonly speedrun: SpeedrunCourse;
}

const clean: Recipe = {
  about: "x-prediction, Muon, pooled captions, overlapping patches; few steps, without guidance",
  model: ({ patch, captionChannels }) => ({
    overlap: Math.floor(patch / 2),
    pooledCaption: captionChannels !== null,
  }),
  // A caption mostly names one picture: to tell them apart, where there is nearly only noise, takes longer than to finish one.
  flow: flowConfig({ prediction: "x", ratio: 16 }),
  training: { ...defaultTraining, optimizer: "muon", muonIterations: 2, floor: 0 },
  // Of a model that says the data, more steps are no better, and guidance harms, below u = 0.5 the most.
  sampling: samplingConfig({ steps: 8, guidance: 1, guidanceInterval: [0.5, 1] }),
  passes: 100,
  speedrun: { steps: 325, from: 275 },
};

export const recipes = {
  clean,
  long: {
    about: "as clean, for a thousand pictures and more, each seen hundreds of times",
    // Captions of many words that occur once: their sum alone does not tell pictures apart.
    model: (preset) => ({ ...clean.model(preset), pooledHidden: preset.captionChannels === null ? 0 : 512 }),
    // As a whole run on emoji:core was made. With times as near pure noise as those of clean it is told sooner which picture it is, and
    // finished less well.
    flow: flowConfig({ prediction: "x", loc: 0.8, scale: 0.8, ratio: 1.5, sampleRatio: 4 }),
    // Without decay the matrices grow until the model learns nothing any more.
    training: { ...clean.training, hold: 0.3, weightDecay: 0.5 },
    sampling: { ...clean.sampling, steps: 4 },
    passes: 350,
    speedrun: { steps: 475, from: 400 },
  },
  baseline: {
    about: "velocity prediction and AdamW, the model as the paper has it, guidance at all times",
    model: () => ({}),
    flow: flowConfig(),
    training: defaultTraining,
    sampling: samplingConfig(),
    passes: 500,
    speedrun: { steps: 2100, from: 2000 },
  },
} satisfies Readonly<Record<string, Recipe>>;

export type RecipeName = keyof typeof recipes;

/** Names of the recipes. */
export const recipeNames = keysOf(recipes);

/** What is taken where nobody chooses, and that of so many pictures and more. */
export const defaultRecipe: RecipeName = "clean";
const [manyPictures, recipeOfMany] = [1000, "long"] as const;

/** The recipe for so many pictures.
 *  @throws ConfigError when they are no whole number of at least 1 */
export function recipeFor(pictures: number): RecipeName {
  checkValue("recipeFor", "pictures", pictures, whole(1));
  return pictures >= manyPictures ? recipeOfMany : defaultRecipe;
}
