/** A word as a shell must read it to get it back: quoted where it is not plain. */
export function quoted(word: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[\p{L}\p{N}_@%+:,./-]+$/u.test(word)) return word;
  if (platform !== "win32") return `'${word.replaceAll("'", "'\\''")}'`;
  // Windows' shells know double quotes only; a backslash before one would hide it.
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, "$&$&")}"`;
}

/** An option and its value; one that begins like an option is tied to it. */
export const option = (flag: string, value: string | number): string =>
  String(value).startsWith("-") ? `${flag}=${quoted(String(value))}` : `${flag} ${quoted(String(value))}`;
