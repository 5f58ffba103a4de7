/** A row of a table, and the line of the file it starts on. */
export interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Rows of comma-separated text, without empty ones. Quoted cells may hold commas, line ends and doubled quotes.
 *  @source RFC 4180, section 2 */
export function parseTable(text: string): Row[] {
  const rows: Row[] = [];
  let cells: string[] = [];
  let [line, start] = [1, 1];
  const cell = /(?:"((?:[^"]|"")*)"[^,\r\n]*|([^,\r\n]*))(,|\r\n|\n|\r|$)/y;
  const content = text.replace(/^\uFEFF/, "");
  while (cell.lastIndex < content.length) {
    const [whole, quoted, plain = "", end] = cell.exec(content) ?? [""];
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    line += whole.split(/\r\n|\n|\r/).length - 1;
    if (end === "," && cell.lastIndex < content.length) continue;
    if (end === ",") cells.push("");
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: start, cells });
    [cells, start] = [[], line];
  }
  return rows;
}
