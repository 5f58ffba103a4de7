/**
 * Tensors as bytes: safetensors in and out.
 * @module ptdit/io
 */
export * from "./safetensors.js";
export * from "./safetensorsParts.js";
