/**
 * Files: safetensors, PNG, curves and grids of pictures, writing that leaves no half file.
 * @module ptdit/io
 */
export * from "./atomic-file.js";
export * from "./captioned-grid.js";
export * from "./curve.js";
export { drawText, lineHeight, textWidth } from "./font.js";
export * from "./png.js";
export * from "./resize.js";
export * from "./safetensors.js";
