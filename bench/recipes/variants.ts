/** Recipes that `bench/recipes` trains side by side: `former`, what differs from it in one thing each, and what came of it. */
import type { CaptionKind } from "../../src/data/richCaptions.js";
import type { PTDiTConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { presets } from "../../src/ptdit/presets.js";
import { type Recipe, recipes } from "../../src/ptdit/recipes.js";

export interface Variant {
  /** What is other than in `former`, or in `clean`. */
  readonly about: string;
  readonly recipe: Recipe;
  /** What the model learns of a picture: its name, or any of its captions. */
  readonly captions?: CaptionKind;
}

const { clean, baseline, long } = recipes;
/** What `clean` was before these measurements. */
const former: Recipe = {
  ...clean,
  flow: flowConfig({ prediction: "x", loc: 0.8, scale: 0.8, ratio: 1, sampleRatio: 4 }),
  training: { ...clean.training, muonIterations: 3 },
};
/** What the preset `modern` has other than `nano`. */
const { qkNorm, norm, mlp } = presets.modern.config;
const modernLayers = { qkNorm, norm, mlp };
/** Times of ratio 4, as for velocity. */
const shifted = { flow: flowConfig({ prediction: "x" }) };

/** Changes of a recipe, in its settings, its model or its training. */
const from = (base: Recipe) => ({
  changed: (about: string, change: Partial<Recipe>): Variant => ({ about, recipe: { ...base, ...change } }),
  model: (about: string, own: Partial<PTDiTConfig>): Variant => ({
    about,
    recipe: { ...base, model: (preset) => ({ ...base.model(preset), ...own }) },
  }),
  training: (about: string, own: Partial<Recipe["training"]>): Variant => ({
    about,
    recipe: { ...base, training: { ...base.training, ...own } },
  }),
});
const { changed, model, training } = from(former);
const now = from(clean);

export const variants = {
  former: changed("the recipe before these measurements", {}),
  baseline: { about: "velocity, AdamW, the model of the paper", recipe: baseline },
  velocity: changed("velocity in place of x", { flow: { ...former.flow, prediction: "flow" } }),
  adamW: training("AdamW at 2e-3, its best rate, in place of Muon", { optimizer: "adamW", lr: 2e-3 }),
  apart: model("patches that do not overlap", { overlap: 0 }),
  unpooled: model("captions not pooled", { pooledCaption: false }),
  stratified: training("times stratified within a batch", { stratified: true }),
  times: changed("times as for velocity: loc 0, scale 1, ratio 4", shifted),
  five: training("five iterations of Muon", { muonIterations: 5 }),
  floor: training("a rate that ends at 5 %", { floor: 0.05 }),
  qkNorm: model("queries and keys normalised", { qkNorm: true }),
  rms: model("RMS norms", { norm: "rms" }),
  swiglu: model("SwiGLU", { mlp: "swiglu" }),
  modern: model("the layers of the preset modern", modernLayers),
  modernTimes: from({ ...former, ...shifted }).model("the layers of the preset modern, and the times of `times`", modernLayers),
  batch8: training("batches of 8", { batch: 8 }),
  batch32: training("batches of 32", { batch: 32 }),
  fast: training("twice the rate", { lr: 2e-3 }),
  long: {
    about: "the recipe for many pictures: `two`, `mlp`, `ratio`, weight decay, a rate that holds for 30 %",
    recipe: long,
  },
  longNoisy: from(long).changed("the recipe for many pictures with the times of `clean`", { flow: clean.flow }),
  decay: training("weight decay of 0.5", { weightDecay: 0.5 }),
  hold: training("a rate that holds for 30 % of the steps, not 60 %", { hold: 0.3 }),
  two: training("two iterations of Muon", { muonIterations: 2 }),
  mlp: model("an MLP of 512 for the pooled caption", { pooledHidden: 512 }),
  ratio: changed("noisier times: ratio 1.5", { flow: { ...former.flow, ratio: 1.5 } }),
  clean: now.changed("the recipe: times of ratio 16, two iterations of Muon", {}),
  clean8: now.changed("the recipe with times of ratio 8", { flow: flowConfig({ prediction: "x", ratio: 8 }) }),
  cleanQkNorm: now.model("the recipe with queries and keys normalised", { qkNorm: true }),
  cleanSwiglu: now.model("the recipe with SwiGLU", { mlp: "swiglu" }),
  cleanModern: now.model("the recipe with the layers of the preset modern", modernLayers),
  cleanHuber: now.training("the recipe with errors above 0.1 counted by their size", { huber: 0.1 }),
  rich: { ...changed("rich captions", {}), captions: "rich" },
  cleanRich: { ...now.changed("the recipe with rich captions", {}), captions: "rich" },
} as const satisfies Readonly<Record<string, Variant>>;
export type VariantName = keyof typeof variants;
