/**
 * Captions and pictures as numbers: data sets, their fingerprints, the tokenizer, batches. Folders and emoji are read by `ptdit/node`.
 * @module ptdit/data
 */
export * from "./batches.js";
export { background, type Dataset, type Sample, type SkippedFile } from "./dataset.js";
export * from "./fingerprint.js";
export { describeSkipped, someOf } from "./skipped.js";
export * from "./tokenizer.js";
