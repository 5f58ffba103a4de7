export * from "./atomic-file.js";
export * from "./captioned-grid.js";
export * from "./curve.js";
export * from "./decodePicture.js";
export { drawText, lineHeight, textWidth } from "./font.js";
export * from "./png.js";
export * from "./resize.js";
export * from "./safetensors.js";
