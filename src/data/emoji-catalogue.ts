import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ConfigError, FormatError } from "../base/errors.js";

/** One emoji: what it is called and the file of its picture. */
export interface Emoji {
  readonly caption: string;
  /** Code points in hexadecimal, joined by "-", without variation selectors. */
  readonly hexcode: string;
  readonly file: string;
  /** Emoji version it came with. */
  readonly version: number;
  readonly group: number;
  readonly subgroup: number;
}

/** What is read of an entry of emoji-datasource-google's emoji.json. */
interface SourceEntry {
  readonly unified: string;
  readonly image: string;
  readonly has_img_google: boolean;
}

/** What is read of an entry of emojibase-data's data.json; single letters and the like have no group. */
interface CaptionEntry {
  readonly label: string;
  readonly hexcode: string;
  readonly version: number;
  readonly group?: number;
  readonly subgroup?: number;
}

/** Groups and subgroups as emojibase numbers them. */
const [people, components, flags, keycaps] = [1, 2, 9, 94];

/**
 * Every emoji that has both a picture and a caption, in the order of the Unicode list. Skin tones are not among them.
 * @throws ConfigError when the packages are not installed
 */
export async function emojiCatalogue(): Promise<Emoji[]> {
  const source = packageFile("emoji-datasource-google/emoji.json");
  const pictures = await readList<SourceEntry>(source);
  const captions = await readList<CaptionEntry>(packageFile("emojibase-data/en/data.json"));
  const images = new Map(pictures.filter((entry) => entry.has_img_google).map((entry) => [bare(entry.unified), entry.image]));
  return captions.flatMap(({ label, hexcode, version, group = components, subgroup = -1 }) => {
    const image = images.get(bare(hexcode));
    if (image === undefined || group === components) return [];
    const file = join(dirname(source), "img", "google", "64", image);
    return [{ caption: label, hexcode: bare(hexcode), file, version, group, subgroup }];
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

const bare = (hexcode: string): string => hexcode.replaceAll("-FE0F", "");

function packageFile(path: string): string {
  try {
    return createRequire(import.meta.url).resolve(path);
  } catch {
    throw new ConfigError(
      "emoji: the pictures and captions come from packages that are not installed. " +
        "Run: npm install --save-dev emoji-datasource-google emojibase-data pngjs",
    );
  }
}

async function readList<Entry>(path: string): Promise<Entry[]> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Entry[];
  } catch (error) {
    throw new FormatError(`${path}: not whole (${(error as Error).message}). Run: npm ci`, { cause: error });
  }
}
