import { FormatError } from "../base/errors.js";
import { type RichCaptions, richCaptions } from "../data/richCaptions.js";
import type { Picture } from "../pictures/picture.js";
import { visibleFacts } from "../pictures/visibleFacts.js";
import type { Emoji } from "./emojiCatalogue.js";

/** Words of a caption. Attention to text grows with the longest of a set, and a name with a few facts tells drawings apart. */
const longest = 12;

/**
 * What makes captions of an emoji: its name, tags and subgroup in the catalogue, and what its picture shows. The subgroup's name, "food
 * fruit", holds that of its group where that is a word that people say; "smileys & emotion" is not.
 * @throws FormatError when the packed list is of a version without tags
 */
export function emojiCaptions(catalogue: readonly Emoji[]): (emoji: Emoji, picture: Picture) => RichCaptions {
  const counts = new Map<string, number>();
  for (const { caption, tags } of catalogue) {
    if (!Array.isArray(tags))
      throw new FormatError(
        `emoji: the packed list has no tags for "${caption}": an earlier version made it. Install ptdit again; in a clone of its repository run: npm run build:emoji`,
      );
    for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  // What many have in common a model learns from many pictures; of equals by alphabet, as the list has them.
  const byUse = (tags: readonly string[]) => tags.filter(isWord).sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  return ({ caption, tags, kind }, picture) =>
    richCaptions({ name: caption, tags: byUse(tags), kind: plainKind(kind), facts: visibleFacts(picture) }, longest);
}

/** Whether a tag is in words: numbers, signs and codes of countries are not. */
const isWord = (tag: string): boolean => /^\p{Ll}[\p{Ll}'’ -]+$/u.test(tag);

/** What names of subgroups hold that nobody would ask for. */
const headings = ["other", "alphanum", "av"];

/** "food-fruit" is "food fruit", "other-symbol" is "symbol". */
const plainKind = (kind: string): string =>
  kind
    .split("-")
    .filter((word) => !headings.includes(word))
    .join(" ");
