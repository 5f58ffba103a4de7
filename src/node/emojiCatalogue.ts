import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { FormatError, messageOf } from "../base/errors.js";

/** One line of the packed list: what an emoji is called, and how long its picture is in the file of all pictures. */
export interface EmojiEntry {
  readonly caption: string;
  /** Code points in hexadecimal, joined by "-", without variation selectors. */
  readonly hexcode: string;
  /** Emoji version it came with. */
  readonly version: number;
  readonly group: number;
  readonly subgroup: number;
  /** Name of the subgroup, "food-fruit". */
  readonly kind: string;
  /** What it is looked for by, by alphabet. */
  readonly tags: readonly string[];
  /** Length of its PNG; the pictures stand one after the other in the order of the list. */
  readonly bytes: number;
}

/** One emoji and its picture. */
export interface Emoji extends EmojiEntry {
  /** A PNG of 64 x 64 pixels. */
  readonly png: Uint8Array;
}

/** Groups and subgroups as emojibase numbers them. */
const [people, flags, keycaps] = [1, 9, 94];

/** The packed files, by the name under which the package exports them: built or from the sources, they are found alike. */
const [list, pictures] = ["ptdit/emoji/list.json", "ptdit/emoji/pictures.bin"];

/**
 * Every emoji that has both a picture and a caption, in the order of the Unicode list. Skin tones are not among them.
 * @throws FormatError when the packed files are missing or not whole
 */
export async function emojiCatalogue(): Promise<Emoji[]> {
  const [text, bytes] = await Promise.all([packed(list), packed(pictures)]);
  const entries = parse(text);
  const length = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (bytes.length !== length) {
    throw new FormatError(`emoji: ${pictures} has ${bytes.length} bytes, ${list} names ${length}. ${cure}`);
  }
  let end = 0;
  return entries.map((entry) => {
    const from = end;
    end += entry.bytes;
    return { ...entry, png: bytes.subarray(from, end) };
  });
}

/** Whether an emoji shows a thing of its own: no flag, keycap, clock face, or gendered, family or other variant of a person. */
export function isCore({ caption, hexcode, group, subgroup }: Emoji): boolean {
  if (group === flags || subgroup === keycaps || /o’clock$|-thirty$/.test(caption)) return false;
  // A zero-width joiner (200D) makes variants: person + red hair, person + red heart + person.
  const isVariant =
    /-200D-/.test(hexcode) || /\b(wo)?m[ae]n\b|\b(boy|girl|family|Mrs|people holding hands|kiss|couple)\b/.test(caption);
  return !(group === people && isVariant) && !/-200D-264[02]/.test(hexcode);
}

const cure = "Install ptdit again; in a clone of its repository run: npm run build:emoji";

async function packed(name: string): Promise<Uint8Array> {
  try {
    return await readFile(createRequire(import.meta.url).resolve(name));
  } catch (error) {
    throw new FormatError(`emoji: ${name}, which comes with ptdit, cannot be read (${messageOf(error)}). ${cure}`, {
      cause: error,
    });
  }
}

function parse(text: Uint8Array): EmojiEntry[] {
  try {
    return JSON.parse(new TextDecoder().decode(text)) as EmojiEntry[];
  } catch (error) {
    throw new FormatError(`emoji: ${list} is not whole (${messageOf(error)}). ${cure}`, { cause: error });
  }
}
