/** Captions that a model is asked for when it is judged. */
import { ConfigError } from "../base/errors.js";
import { joinedIn } from "../base/joined.js";
import { PictureSet } from "./pictureSet.js";
import { captionKinds } from "./richCaptions.js";

/** What can be asked for: names, each picture's fullest caption, or the one that training never saw. */
export const askedKinds = [...captionKinds, "heldout"] as const;
export type AskedKind = (typeof askedKinds)[number];

/** A data set under the captions that are asked for; where pictures have none held out, of those that have.
 *  @throws ConfigError when no picture has a caption held out */
export function askedBy(data: PictureSet, kind: AskedKind): PictureSet {
  const { captions, variants = [], heldOut = [] } = data;
  if (kind === "name") return data;
  if (kind === "rich") return chosen(data, new Map(captions.map((caption, i) => [i, variants[i]?.[0] ?? caption])));
  const held = heldOut.flatMap((caption, i) => (caption === undefined ? [] : [[i, caption] as const]));
  if (held.length > 0) return chosen(data, new Map(held));
  throw new ConfigError(
    `captions: none of the ${data.count} pictures of "${data.name}" has a caption held out: too little is known of them beside their names. Ask for names, or for rich captions.`,
  );
}

/** Some pictures under new captions, by their numbers. */
function chosen({ name, size, pictures, files }: PictureSet, captions: ReadonlyMap<number, string>): PictureSet {
  const numbers = 3 * size ** 2;
  const places = [...captions.keys()];
  return new PictureSet({
    name,
    size,
    captions: [...captions.values()],
    pictures: joinedIn(
      (length) => new Float32Array(length),
      places.map((i) => pictures.subarray(i * numbers, (i + 1) * numbers)),
    ),
    ...(files && { files: places.flatMap((i) => files[i] ?? []) }),
  });
}
