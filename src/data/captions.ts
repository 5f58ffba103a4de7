import { parseTable } from "./delimited-text.js";

/** Captions by file name, and lines that could not be read. */
export interface CaptionList {
  readonly captions: Map<string, string>;
  readonly broken: { readonly line: number; readonly reason: string }[];
}

/** The caption a file's name spells: `red_apple-01.png` is "red apple". */
export function captionFromName(file: string): string {
  const words = file
    .replace(/\.[^.]*$/, "")
    .replace(/[\s_\-.]+/g, " ")
    .trim();
  // A closing number counts files; a name that is all number is kept.
  return words.replace(/ \d+$/, "");
}

/** Captions of JSON lines `{"file": "a.png", "caption": "a red apple"}`. */
export function captionsFromJsonLines(text: string): CaptionList {
  const list: CaptionList = { captions: new Map(), broken: [] };
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    try {
      const { file, caption } = Object(JSON.parse(line)) as Record<string, unknown>;
      if (typeof file !== "string" || typeof caption !== "string") throw new Error('no "file" and "caption"');
      list.captions.set(file, caption.trim());
    } catch (error) {
      list.broken.push({
        line: i + 1,
        reason: `not a line like {"file": "a.png", "caption": "apple"} (${(error as Error).message})`,
      });
    }
  }
  return list;
}

/** Captions of a table with the columns file and caption, which its first row may name. */
export function captionsFromCsv(text: string): CaptionList {
  const list: CaptionList = { captions: new Map(), broken: [] };
  let [fileColumn, captionColumn] = [0, 1];
  for (const [i, { line, cells }] of parseTable(text).entries()) {
    const names = cells.map((cell) => cell.trim().toLowerCase());
    if (i === 0 && names.includes("file") && names.includes("caption")) {
      [fileColumn, captionColumn] = [names.indexOf("file"), names.indexOf("caption")];
      continue;
    }
    const [file, caption] = [cells[fileColumn], cells[captionColumn]];
    if (file === undefined || caption === undefined) list.broken.push({ line, reason: "no file and caption" });
    else list.captions.set(file.trim(), caption.trim());
  }
  return list;
}
