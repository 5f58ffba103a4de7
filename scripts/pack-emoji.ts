/**
 * Puts the emoji that the data sets are made of into two files of the package, `dist/emoji/list.json` and `dist/emoji/pictures.bin`: the
 * packages they come from are 130 MB, of which these are six. Skips the work when nothing is newer (`--force` overrides).
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EmojiEntry } from "../src/node/emojiCatalogue.ts";

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
  readonly tags?: readonly string[];
}

/** What is read of emojibase's groups.json: names of the subgroups by their numbers. */
interface GroupNames {
  readonly subgroups: Readonly<Record<string, string>>;
}

/** Skin tones and hair, as emojibase numbers its groups. */
const components = 2;

const { resolve } = createRequire(import.meta.url);
const source = resolve("emoji-datasource-google/emoji.json");
const captions = resolve("emojibase-data/en/data.json");
const groups = resolve("emojibase-data/meta/groups.json");
const folder = fileURLToPath(new URL("../dist/emoji/", import.meta.url));
const [list, pictures] = [join(folder, "list.json"), join(folder, "pictures.bin")];

if (process.argv.includes("--force") || isStale()) pack();

function isStale(): boolean {
  const time = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // Packages keep the dates their makers gave them: the lock file tells when others were installed.
  const inputs = [fileURLToPath(import.meta.url), fileURLToPath(new URL("../package-lock.json", import.meta.url))];
  return Math.max(...inputs.map(time)) > Math.min(time(list), time(pictures));
}

/** Every emoji that has both a picture and a caption, in the order of the Unicode list. Skin tones are not among them. */
function pack(): void {
  const read = <Content>(path: string) => JSON.parse(readFileSync(path, "utf8")) as Content;
  const { subgroups } = read<GroupNames>(groups);
  const images = new Map(
    read<SourceEntry[]>(source)
      .filter((entry) => entry.has_img_google)
      .map((entry) => [bare(entry.unified), entry.image]),
  );
  const entries: EmojiEntry[] = [];
  const files: Uint8Array[] = [];
  for (const { label, hexcode, version, group = components, subgroup = -1, tags = [] } of read<CaptionEntry[]>(captions)) {
    const image = images.get(bare(hexcode));
    if (image === undefined || group === components) continue;
    const bytes = readFileSync(join(dirname(source), "img", "google", "64", image));
    const { [subgroup]: kind = "" } = subgroups;
    entries.push({ caption: label, hexcode: bare(hexcode), version, group, subgroup, kind, tags, bytes: bytes.length });
    files.push(bytes);
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(pictures, Buffer.concat(files));
  writeFileSync(list, `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
}

/** Code points without variation selectors, which the two packages set differently. */
function bare(hexcode: string): string {
  return hexcode.replaceAll("-FE0F", "");
}
