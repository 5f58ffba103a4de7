import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { ConfigError } from "../base/errors.js";
import { decodePng } from "../io/png.js";
import { type Dataset, datasetOf, normalised } from "./dataset.js";
import { emoji64 } from "./emoji-64.js";
import { type Emoji, emojiCatalogue, isCore } from "./emoji-catalogue.js";
import { distinctPictures } from "./near-duplicates.js";

/** Side of the package's pictures in pixels. */
const drawnSize = 64;

/** The emoji sets by name: which emoji they hold. */
const subsets = {
  /** Everything with a picture of its own. */
  emoji: () => true,
  /** Without flags, keycaps, clock faces and variants of people. */
  "emoji:core": isCore,
  /** The quick start's. */
  "emoji:64": ({ caption }) => emoji64.includes(caption),
} satisfies Record<string, (emoji: Emoji) => boolean>;

export type EmojiSet = keyof typeof subsets;

/** Names of the emoji sets. */
export const emojiSets = Object.keys(subsets) as EmojiSet[];

/**
 * Noto emoji with their English names, drawn on a light background. Of pictures that are nearly the same, one stays: the
 * flag of France, not that of Clipperton.
 * @throws ConfigError when the emoji packages or pngjs are not installed, or the packages' version lacks one of the 64
 * @source the npm packages emoji-datasource-google (pictures: Noto Emoji) and emojibase-data (captions)
 */
export async function loadEmoji(name: EmojiSet, size = 32): Promise<Dataset> {
  const chosen = (await emojiCatalogue()).filter(subsets[name]);
  if (name === "emoji:64") checkComplete(chosen);
  // Of equals the first stays: what came earliest and has the plainest name. The order of the list returns below.
  const byFame = chosen
    .map((emoji, order) => ({ emoji, order }))
    .sort((a, b) => a.emoji.version - b.emoji.version || a.emoji.caption.length - b.emoji.caption.length || a.order - b.order);
  const drawn: Float32Array[] = [];
  const samples: { order: number; file: string; caption: string; picture: Float32Array }[] = [];
  for (const { emoji, order } of byFame) {
    const file = basename(emoji.file);
    const picture = await decodePng(await readFile(emoji.file), file);
    drawn.push(normalised(picture, drawnSize));
    samples.push({ order, file, caption: emoji.caption, picture: normalised(picture, size) });
  }
  const kept = distinctPictures(drawn, drawnSize).map((i) => samples[i]);
  return datasetOf(
    name,
    size,
    kept.sort((a, b) => a.order - b.order),
  );
}

function checkComplete(chosen: readonly Emoji[]): void {
  const found = new Set(chosen.map(({ caption }) => caption));
  const missing = emoji64.filter((caption) => !found.has(caption));
  if (missing.length > 0) {
    throw new ConfigError(
      `emoji:64: the installed packages have no ${missing.join(", ")}. Install the versions that package.json names: npm ci`,
    );
  }
}
