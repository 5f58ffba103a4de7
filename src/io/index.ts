/**
 * Files: safetensors, PNG, curves and grids of pictures, writing that leaves no half file.
 * @module ptdit/io
 */
export * from "./atomic-file.js";
export * from "./captioned-grid.js";
export * from "./curve.js";
export * from "./decodePicture.js";
export * from "./encodeJpeg.js";
export * from "./folder.js";
export { drawText, type Font, lineHeight, smallFont, textWidth } from "./font.js";
export { absentScriptPackages, fontFor, installedPackages, type PackageSource } from "./fontPackages.js";
export * from "./png.js";
export * from "./resize.js";
export * from "./safetensors.js";
export * from "./safetensorsFile.js";
export { smoothLine } from "./smooth.js";
export { wrapText } from "./wrap.js";
