/** Fewest typing errors that make one word the other: a letter too many, too few, wrong, or two neighbours swapped.
 *  @source the optimal string alignment distance (restricted Damerau-Levenshtein) */
export function editDistance(a: string, b: string): number {
  const [from, to] = [[...a], [...b]];
  // rows[i][j]: distance of the first i letters from the first j.
  const rows = Array.from({ length: from.length + 1 }, (_, i) =>
    Array.from({ length: to.length + 1 }, (_, j) => (i === 0 ? j : i)),
  );
  for (let i = 1; i <= from.length; i++) {
    for (let j = 1; j <= to.length; j++) {
      const wrong = rows[i - 1][j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1] ? rows[i - 2][j - 2] + 1 : wrong;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, wrong, swapped);
    }
  }
  return rows[from.length][to.length];
}
