/**
 * Captions and pictures as numbers: data sets, their fingerprints, the tokenizer, batches. Folders and emoji are read by `ptdit/node`.
 * @module ptdit/data
 */
export { type AskedKind, askedBy, askedKinds } from "./askedCaptions.js";
export { batchIndices } from "./batches.js";
export { CaptionTable, everyCaption } from "./captionTable.js";
export type { Dataset, SampleShape } from "./dataset.js";
export * from "./fingerprint.js";
export { background, PictureSet, type PictureSetOptions, type Sample, type SkippedFile } from "./pictureSet.js";
export { RehearsedSet } from "./rehearsal.js";
export { type CaptionKind, captionKinds, type Known, type RichCaptions, richCaptions } from "./richCaptions.js";
export { describeSkipped, someOf } from "./skipped.js";
export * from "./tokenizer.js";
