/**
 * Pictures with captions: emoji and folders, the tokenizer, batches.
 * @module ptdit/data
 */
export * from "./batches.js";
export { background, type Dataset, type Sample, type SkippedFile } from "./dataset.js";
export { type EmojiSet, emojiSets, loadEmoji } from "./emoji.js";
export * from "./fingerprint.js";
export * from "./folder.js";
export * from "./load.js";
export { describeSkipped, someOf } from "./skipped.js";
export * from "./tokenizer.js";
