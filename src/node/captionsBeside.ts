import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { codeOf } from "../base/errors.js";
import { decodeText } from "../data/decodeText.js";
import type { SkippedFile } from "../data/pictureSet.js";
import { notUnicode } from "./listedCaptions.js";

/** Endings of text beside pictures, in the order in which they count. */
const endings = /\.(txt|caption)$/i;

/** Whether a file may be the caption of the picture beside it. */
export const isCaptionText = (path: string): boolean => endings.test(path);

/** Texts that come with data sets and belong to no picture. */
const isPaper = (path: string): boolean =>
  /^(read_?me|licen[cs]e|notice|copying|authors|credits|requirements)\b/i.test(posix.basename(path));

const withoutEnding = (path: string): string => path.replace(/\.[^./]*$/, "");
const keyOf = (path: string): string => path.normalize("NFC");

/** The texts beside a folder's pictures: `a.txt`, `a.caption` or `a.png.txt` for `a.png`. */
export class CaptionsBeside {
  private readonly texts = new Map<string, string[]>();

  constructor(
    private readonly folder: string,
    private readonly files: readonly string[],
    private readonly notes: SkippedFile[],
  ) {
    for (const file of files.filter(isCaptionText)) {
      const key = keyOf(withoutEnding(file));
      this.texts.set(key, [...(this.texts.get(key) ?? []), file]);
    }
    const rank = (file: string) => (/\.txt$/i.test(file) ? 0 : 1);
    for (const texts of this.texts.values()) texts.sort((a, b) => rank(a) - rank(b));
  }

  /** The caption beside a picture; undefined when there is none that can be read. */
  async of(picture: string): Promise<string | undefined> {
    const texts = [withoutEnding(picture), picture].flatMap((path) => this.texts.get(keyOf(path)) ?? []);
    const captions: string[] = [];
    for (const text of texts) {
      const caption = await this.read(text);
      if (caption !== undefined && captions.length > 0 && caption !== captions[0])
        this.notes.push({ file: text, reason: "another text beside its picture says something else, which is taken" });
      if (caption !== undefined) captions.push(caption);
    }
    return captions[0];
  }

  /** Notes the texts that belong to no file. */
  noteOrphans(): void {
    const owners = new Set(
      this.files.flatMap((file) => (isCaptionText(file) ? [] : [keyOf(file), keyOf(withoutEnding(file))])),
    );
    for (const [key, texts] of this.texts) {
      if (owners.has(key)) continue;
      for (const file of texts.filter((text) => !isPaper(text)))
        this.notes.push({ file, reason: "there is no picture for this text" });
    }
  }

  private async read(text: string): Promise<string | undefined> {
    try {
      const { text: letters, encoding } = decodeText(await readFile(join(this.folder, text)));
      if (encoding === "Windows-1252") this.notes.push({ file: text, reason: notUnicode });
      return letters.replace(/\s+/g, " ").trim();
    } catch (error) {
      this.notes.push({ file: text, reason: `the text cannot be read (${codeOf(error)})` });
      return undefined;
    }
  }
}
