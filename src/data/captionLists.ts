import { type Delimiter, parseTable, type Row } from "./delimitedText.js";
import { counted } from "./skipped.js";

/** A caption as a list gives it. */
export interface ListedCaption {
  /** Line of the list, or place in it, from 1 on. */
  readonly line: number;
  readonly file: string;
  readonly caption: string;
}

/** What a list says, what of it cannot be read, and what was read otherwise than it stands. */
export interface CaptionList {
  readonly entries: readonly ListedCaption[];
  readonly broken: readonly { readonly line: number; readonly reason: string }[];
  readonly notes: readonly string[];
}

/** What lists call their columns, the first that a list has counts: ours, Hugging Face's, and those of other trainers. */
const columns = {
  file: [
    "file",
    "file_name",
    "filename",
    "image",
    "image_file",
    "image_path",
    "image_name",
    "img",
    "img_path",
    "picture",
  ].concat(["file_path", "filepath", "path"]),
  caption: ["caption", "text", "prompt", "description", "title", "sentence", "captions", "label", "tags"],
} as const;

const columnName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");

/** Reads a list by the ending of its name; `isThere` tells whether a name is that of a file.
 *  @throws never: what cannot be read is in `broken` */
export function parseCaptionList(name: string, text: string, isThere: (file: string) => boolean): CaptionList {
  return /\.jsonl?$/i.test(name) ? captionsFromJson(text) : captionsFromTable(text, isThere);
}

/** Captions of JSON lines, of one array of such objects, or of one object from files to captions or to such objects. */
function captionsFromJson(text: string): CaptionList {
  const entries: ListedCaption[] = [];
  const broken: { line: number; reason: string }[] = [];
  const notes = new Set<string>();
  let several = 0;
  for (const [line, value] of jsonRows(text)) {
    const row = cellsOf(value);
    const file = columns.file.map((key) => fileOf(row.get(key))).find((found) => found !== undefined);
    const [column, other] = columns.caption.filter((key) => captionOf(row.get(key)) !== undefined);
    const given = column && row.get(column);
    const caption = captionOf(given);
    if (file === undefined || caption === undefined) {
      broken.push({ line, reason: 'not a line like {"file_name": "a.png", "text": "an apple"}' });
      continue;
    }
    if (Array.isArray(given) && given.length > 1) several++;
    if (other) notes.add(`it has "${column}" and "${other}"; "${column}" is taken`);
    entries.push({ line, file, caption: caption.trim() });
  }
  if (several > 0) notes.add(`it has several captions for ${counted(several, "picture")}; the first is taken`);
  return { entries, broken, notes: [...notes] };
}

/** What an object holds, by the names of columns. */
function cellsOf(value: unknown): Map<string, unknown> {
  return new Map(Object.entries(isRecord(value) ? value : {}).map(([key, cell]) => [columnName(key), cell]));
}

/** The objects of a JSON list with their lines or places. */
function* jsonRows(text: string): Generator<[line: number, value: unknown]> {
  const whole = parsed(text);
  if (Array.isArray(whole)) yield* whole.map((row, i): [number, unknown] => [i + 1, row]);
  else if (isRecord(whole) && !columns.file.some((key) => cellsOf(whole).has(key))) {
    for (const [i, [file, value]] of Object.entries(whole).entries())
      yield [i + 1, isRecord(value) ? { file, ...value } : { file, caption: value }];
  } else {
    for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) if (line.trim() !== "") yield [i + 1, parsed(line)];
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A file's name, or the path in what Hugging Face stores of a picture. */
function fileOf(value: unknown): string | undefined {
  const name = isRecord(value) ? value.path : value;
  return typeof name === "string" && name.trim() !== "" ? name : undefined;
}

/** A caption, or the first of several. */
function captionOf(value: unknown): string | undefined {
  const caption = Array.isArray(value) ? value[0] : value;
  return typeof caption === "string" ? caption : undefined;
}

/** Where a table has files and captions, and how many columns. */
interface Layout {
  readonly file: number;
  /** Undefined when no column is of captions. */
  readonly caption: number | undefined;
  readonly width: number;
  /** Names in the first row. */
  readonly names: readonly string[];
}

const withoutHeader: Layout = { file: 0, caption: 1, width: 2, names: [] };

/** Captions of a table whose first row may name its columns. Cells are parted by what makes sense of it: commas unless tabs,
 *  semicolons or bars give known columns, or more names of files that are there. */
function captionsFromTable(text: string, isThere: (file: string) => boolean): CaptionList {
  const readings = ([",", "\t", ";", "|"] as const).map((delimiter) => {
    const rows = parseTable(text, delimiter);
    const header = headerOf(rows[0]);
    const { file } = header ?? withoutHeader;
    const hits = rows.filter(({ cells }) => cells.length > 1 && isThere(cells[file] ?? "")).length;
    return { delimiter, rows, header, score: (header ? rows.length : 0) + hits };
  });
  const { delimiter, rows, header } = readings.reduce((best, one) => (one.score > best.score ? one : best));
  const { caption, names } = header ?? withoutHeader;
  if (caption === undefined) {
    const reason = `none of its columns (${names.join(", ")}) is of captions; name one "text"`;
    return { entries: [], broken: [{ line: 1, reason }], notes: [] };
  }
  const list = captionsOfRows(header ? rows.slice(1) : rows, { ...(header ?? withoutHeader), caption }, delimiter, isThere);
  const [column, other] = columns.caption.filter((name) => names.includes(name));
  return other ? { ...list, notes: [...list.notes, `it has "${column}" and "${other}"; "${column}" is taken`] } : list;
}

/** What a first row says of the columns; undefined when it is a row like the others. */
function headerOf(row: Row | undefined): Layout | undefined {
  const names = row?.cells.map(columnName) ?? [];
  const placeOf = (known: readonly string[]) => known.map((name) => names.indexOf(name)).find((place) => place >= 0);
  const file = placeOf(columns.file);
  if (file === undefined || names.length < 2) return undefined;
  // Of two columns, the other one.
  return { file, caption: placeOf(columns.caption) ?? (names.length === 2 ? 1 - file : undefined), width: names.length, names };
}

function captionsOfRows(
  rows: readonly Row[],
  { file, caption, width }: Layout & { readonly caption: number },
  delimiter: Delimiter,
  isThere: (file: string) => boolean,
): CaptionList {
  const entries: ListedCaption[] = [];
  const broken: { line: number; reason: string }[] = [];
  let joined = 0;
  for (const { line, cells, raw } of rows) {
    // Empty cells at the end are a spreadsheet's.
    let count = cells.length;
    while (count > width && cells[count - 1] === "") count--;
    // A caption in quotes ends with them, whatever stands behind.
    const isQuoted = cells[caption] !== raw[caption];
    const extra = isQuoted ? 0 : Math.max(0, count - width);
    const name = (cells[file > caption ? file + extra : file] ?? "").trim();
    if (count <= Math.max(file, caption)) broken.push({ line, reason: "no file and caption" });
    else if (extra === 0) entries.push({ line, file: name, caption: (cells[caption] ?? "").trim() });
    else if (caption === width - 1 || (width === 2 && isThere(name))) {
      // A caption with commas and no quotes: nothing but the file can stand beside it.
      joined++;
      entries.push({
        line,
        file: name,
        caption: raw
          .slice(caption, caption + extra + 1)
          .join(delimiter)
          .trim(),
      });
    } else broken.push({ line, reason: `${count} cells for ${width} columns: captions with commas need quotes around them` });
  }
  const notes = joined > 0 ? [`${counted(joined, "caption")} with commas and no quotes; the commas were kept`] : [];
  return { entries, broken, notes };
}
