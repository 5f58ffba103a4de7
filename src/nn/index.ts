/**
 * Modules, initialisers, optimisers and schedules.
 * @module ptdit/nn
 */
export * from "./attention.js";
export * from "./init.js";
export * from "./layers.js";
export * from "./module.js";
export * from "./optimizers/index.js";
export * from "./schedules.js";
export * from "./stratified.js";
