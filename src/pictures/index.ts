/**
 * Pictures: PNG and other formats in, PNG and JPEG out, resizing, letters, grids and curves.
 * @module ptdit/pictures
 */
export * from "./captionedGrid.js";
export { type ColourName, colourName, colourNames } from "./colourNames.js";
export * from "./curve.js";
export * from "./decodePicture.js";
export * from "./encodeJpeg.js";
export * from "./encodePng.js";
export { drawText, type Font, lineHeight, smallFont, textWidth } from "./font.js";
export { absentScriptPackages, fontFor, installedPackages, type PackageSource } from "./fontPackages.js";
export * from "./pictureGrid.js";
export * from "./png.js";
export * from "./resize.js";
export { smoothLine } from "./smooth.js";
export { type VisibleFacts, visibleFacts } from "./visibleFacts.js";
export { wrapText } from "./wrap.js";
