/** A row of a table, and the line of the file it starts on. */
export interface Row {
  readonly line: number;
  readonly cells: readonly string[];
  /** The cells as they stand in the file, quotes and spaces included. */
  readonly raw: readonly string[];
}

/** What may stand between cells. */
export type Delimiter = "," | "\t" | ";" | "|";

/** Rows of delimited text, without empty ones. Quoted cells may hold delimiters, line ends and doubled quotes, and spaces may
 *  stand around them; where the quotes do not fit, they are letters like others.
 *  @source RFC 4180, section 2 */
export function parseTable(text: string, delimiter: Delimiter = ","): Row[] {
  const rows: Row[] = [];
  let [cells, raw]: [string[], string[]] = [[], []];
  let [line, start] = [1, 1];
  const end = `(\\${delimiter}|\\r\\n|\\n|\\r|$)`;
  const cell = new RegExp(`(?:( *"([^"]*(?:""[^"]*)*)" *)(?=${end})|([^\\${delimiter}\\r\\n]*))${end}`, "y");
  const content = text.replace(/^\uFEFF/, "");
  while (cell.lastIndex < content.length) {
    const [whole, stored, quoted, , plain = "", after] = cell.exec(content) ?? [""];
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    raw.push(stored ?? plain);
    line += whole.split(/\r\n|\n|\r/).length - 1;
    if (after === delimiter && cell.lastIndex < content.length) continue;
    if (after === delimiter) {
      cells.push("");
      raw.push("");
    }
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: start, cells, raw });
    [cells, raw, start] = [[], [], line];
  }
  return rows;
}
