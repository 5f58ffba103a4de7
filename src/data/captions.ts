/** The words that a file's name spells, its closing number among them. */
function wordsOfName(file: string): string {
  return file
    .replace(/\.[^.]*$/, "")
    .replace(/[\s_\-.]+/g, " ")
    .trim();
}

/**
 * The captions that files' names spell: `red_apple-01.png` is "red apple". A closing number is left out only where it counts
 * files: it begins with 0, follows another number, or the name with the number before or after it is among them too.
 * `route 66.png` keeps it.
 */
export function captionsFromNames(files: readonly string[]): string[] {
  const key = (words: string) => words.normalize("NFC").toLowerCase();
  const spelled = new Set(files.map((file) => key(wordsOfName(file))));
  return files.map((file) => {
    const words = wordsOfName(file);
    const [, stem, digits] = /^(.*) (\d+)$/.exec(words) ?? [];
    // A name that is all number is kept.
    if (stem === undefined || digits === undefined) return words;
    const number = Number(digits);
    const hasNeighbour = [number - 1, number + 1].some((next) => spelled.has(`${key(stem)} ${next}`));
    const followsBare = number <= 2 && spelled.has(key(stem));
    const counts = digits.startsWith("0") || /(^| )\d+$/.test(stem) || hasNeighbour || followsBare;
    return counts ? stem : words;
  });
}

/** The caption that one file's name spells. */
export function captionFromName(file: string): string {
  return captionsFromNames([file])[0];
}
