import { FormatError } from "../base/errors.js";
import { keysOf } from "../base/options.js";
import { emoji64 } from "../data/emoji64.js";
import { distinctPictures } from "../data/nearDuplicates.js";
import { normalised, type PictureSet, pictureSetOf, type Sample } from "../data/pictureSet.js";
import type { CaptionKind } from "../data/richCaptions.js";
import { decodePng } from "../pictures/png.js";
import { emojiCaptions } from "./emojiCaptions.js";
import { type Emoji, emojiCatalogue, isCore } from "./emojiCatalogue.js";

/** Side of the packed pictures in pixels. */
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
export const emojiSets = keysOf(subsets);

/** Whether a data set of this name is one of them. */
export const isEmojiSet = (name: string): name is EmojiSet => emojiSets.some((own) => own === name);

/**
 * Noto emoji with their English names, drawn on a light background. Of pictures that are nearly the same, one stays: the
 * flag of France, not that of Clipperton. Rich captions are variants beside the names: tags, what kind of thing it is, its colours.
 * @throws ConfigError when pngjs is not installed
 * @throws FormatError when the packed pictures are missing, not whole, or lack one of the 64
 * @source the npm packages emoji-datasource-google (pictures: Noto Emoji) and emojibase-data (captions)
 */
export async function loadEmoji(name: EmojiSet, size = 32, captions: CaptionKind = "name"): Promise<PictureSet> {
  const catalogue = await emojiCatalogue();
  const richOf = captions === "rich" ? emojiCaptions(catalogue) : undefined;
  const chosen = catalogue.filter(subsets[name]);
  if (name === "emoji:64") checkComplete(chosen);
  // Of equals the first stays: what came earliest and has the plainest name. The order of the list returns below.
  const byFame = chosen
    .map((emoji, order) => ({ emoji, order }))
    .sort((a, b) => a.emoji.version - b.emoji.version || a.emoji.caption.length - b.emoji.caption.length || a.order - b.order);
  const drawn: Float32Array[] = [];
  const samples: (Sample & { readonly order: number })[] = [];
  for (const { emoji, order } of byFame) {
    const file = `${emoji.hexcode.toLowerCase()}.png`;
    const picture = await decodePng(emoji.png, emoji.caption);
    drawn.push(normalised(picture, drawnSize));
    const rich = richOf && { rich: richOf(emoji, picture) };
    samples.push({ order, file, caption: emoji.caption, ...rich, picture: normalised(picture, size) });
  }
  const kept = distinctPictures(drawn, drawnSize).map((i) => samples[i]);
  return pictureSetOf(
    name,
    size,
    kept.sort((a, b) => a.order - b.order),
  );
}

function checkComplete(chosen: readonly Emoji[]): void {
  const found = new Set(chosen.map(({ caption }) => caption));
  const missing = emoji64.filter((caption) => !found.has(caption));
  if (missing.length > 0) {
    throw new FormatError(
      `emoji:64: the packed pictures have no ${missing.join(", ")}. Install the versions of the emoji packages that package.json names: npm ci`,
    );
  }
}
