import { posix } from "node:path";

/** A file that a list means, and whether the list names it to the letter. */
export interface Meant {
  readonly files: readonly string[];
  readonly isExact: boolean;
}

/** Finds pictures by the names that lists give them. */
export class PictureIndex {
  private readonly exact = new Map<string, string[]>();
  /** Without regard to case, to folders, to endings. */
  private readonly loose: readonly Map<string, string[]>[] = [new Map(), new Map(), new Map()];
  private readonly folders: ReadonlySet<string>;

  constructor(files: readonly string[], unreadFolders: readonly string[]) {
    for (const file of files) {
      const key = normalPath(file);
      add(this.exact, key, file);
      looseKeys(key).forEach((loose, i) => add(this.loose[i], loose, file));
    }
    this.folders = new Set([...files.map((file) => posix.dirname(normalPath(file))), ...unreadFolders.map(normalPath)]);
  }

  /** What a list in the folder `place` means by a name. Several files are meant when their names differ in composed letters only. */
  find(place: string, name: string): Meant {
    const key = normalPath(posix.join(place, normalPath(name)));
    const exact = this.exact.get(key);
    if (exact) return { files: exact, isExact: true };
    const folder = posix.dirname(key);
    for (const [i, loose] of looseKeys(key).entries()) {
      // A path of another machine is looked for by its name alone, but a file that a folder here lacks is missing.
      if (i > 0 && folder !== posix.normalize(place) && this.folders.has(folder)) break;
      const found = this.loose[i]?.get(loose);
      if (found?.length === 1) return { files: found, isExact: false };
    }
    return { files: [], isExact: false };
  }
}

function looseKeys(key: string): [folded: string, base: string, stem: string] {
  const folded = key.toLowerCase();
  const base = posix.basename(folded);
  return [folded, base, base.replace(/\.[^.]*$/, "")];
}

function add(map: Map<string, string[]> | undefined, key: string, file: string): void {
  const known = map?.get(key);
  if (known) known.push(file);
  else map?.set(key, [file]);
}

/** One form for every way to write a path: composed letters, "/", nothing that leads nowhere. */
export const normalPath = (path: string): string =>
  posix.normalize(path.trim().normalize("NFC").replaceAll("\\", "/")).replace(/^(\.?\/)+/, "");
