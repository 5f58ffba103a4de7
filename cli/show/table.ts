/** A column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly cell: (of: T) => string;
  /** Whether its cells end in line, as numbers do. */
  readonly right?: true;
}

/** Lines of a table with its titles, every column as wide as its widest cell. */
export function tableLines<T>(columns: readonly Column<T>[], rows: readonly T[]): string[] {
  const texts = columns.map(({ title, cell, right }) => {
    const cells = [title, ...rows.map(cell)];
    const width = Math.max(...cells.map((text) => text.length));
    return cells.map((text) => (right ? text.padStart(width) : text.padEnd(width)));
  });
  return ["", ...rows].map((_, line) =>
    texts
      .map((cells) => cells[line])
      .join("  ")
      .trimEnd(),
  );
}
