/**
 * What only Node has: folders of pictures, the emoji packages, files that are whole or not there, checkpoints on disk.
 * @module ptdit/node
 */
export * from "./atomicFile.js";
export * from "./checkpoint.js";
export { type EmojiSet, emojiSets, loadEmoji } from "./emoji.js";
export { loadFeatureNet } from "./features.js";
export * from "./folder.js";
export * from "./load.js";
export * from "./makeFolder.js";
export { loadModel, modelNames } from "./models.js";
export { type FolderStore, type FolderStoreOptions, folderStore } from "./run/folderStore.js";
export { type FoundRun, listRuns, type UnreadRun } from "./run/listRuns.js";
export type { RunMeasures } from "./run/measures.js";
export { type RunFiles, runFiles } from "./run/runFiles.js";
export * from "./safetensorsFile.js";
