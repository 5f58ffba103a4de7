/**
 * PT-DiT and what trains and samples it: everything that runs in a browser too. Checkpoint files are in `ptdit/node`.
 * @module ptdit/model
 */
export { Tokenizer, type TokenizerJSON } from "../data/tokenizer.js";
export { Block, type Conditioning, type Modulation } from "./block.js";
export { type Codec, codecs, pixels } from "./codec.js";
export { type ComplexityInputs, complexity } from "./complexity/complexity.js";
export type { Complexity, Counts } from "./complexity/counts.js";
export { type Rival, type RivalInputs, type RivalName, rivalComplexity, rivalNames, rivals } from "./complexity/rivals.js";
export * from "./config.js";
export type { DataSource, Rehearsal, RunSource } from "./dataSource.js";
export { type EncodedCaptions, encodeAll } from "./encodedCaptions.js";
export * from "./evaluate.js";
export { type ExportOptions, exportModel } from "./exportModel.js";
export * from "./fidelity.js";
export { beginFrom } from "./fineTune.js";
export * from "./flow.js";
export * from "./generate.js";
export * from "./geometry.js";
export * from "./judge.js";
export * from "./losses.js";
export * from "./mixing.js";
export * from "./model.js";
export * from "./paths/index.js";
export { Pipeline, type PipelineParts } from "./pipeline.js";
export * from "./positions.js";
export * from "./presets.js";
export * from "./quality/index.js";
export {
  averagedPipeline,
  type Checkpoint,
  type CheckpointOptions,
  type RunDescription,
  readCheckpoint,
} from "./readCheckpoint.js";
export * from "./recipes.js";
export {
  type LayerRedundancy,
  measureRedundancy,
  type RedundancyOptions,
  type RingStatistics,
} from "./redundancy/measureRedundancy.js";
export type { OutputErrors } from "./redundancy/outputErrors.js";
export { type RingMeasures, ringMeasures } from "./redundancy/ringMeasures.js";
export { attentionRings, type Rings } from "./redundancy/rings.js";
export type { Quartiles } from "./redundancy/statistics.js";
export { type Comparisons, type Outcome, type Verdict, verdictRule } from "./redundancy/verdict.js";
export * from "./sampler.js";
export { type SamplingConfig, samplingConfig } from "./sampling.js";
export * from "./session/index.js";
export * from "./solvers/index.js";
export * from "./speedrun.js";
export * from "./stateDict.js";
export type { Predictor, StepInput } from "./stepProgram.js";
export { NonFiniteError, type StepReport } from "./stepReport.js";
export * from "./sweep.js";
export { type EncodedText, type EncoderKind, encoders, type TextEncoder, WordEncoder, words } from "./text.js";
export * from "./trainer.js";
export { defaultTraining, type TrainingConfig } from "./trainingConfig.js";
export * from "./verify/index.js";
export { weightsHash } from "./weightsHash.js";
export { type WeightType, weightTypes } from "./weightTypes.js";
export * from "./windows.js";
export * from "./workload.js";
export { type CheckpointSource, type StateSource, writeCheckpoint } from "./writeCheckpoint.js";
