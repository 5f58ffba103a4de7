import type { PictureSet, SkippedFile } from "./pictureSet.js";

/** Names shown of a group. */
const mostNames = 8;

/** Some names, and how many there are besides. */
export function someOf(names: readonly string[], most = mostNames): string {
  const shown = names.slice(0, most).join(", ");
  return names.length <= most ? shown : `${shown} and ${names.length - most} more`;
}

/** "1 picture", "2 pictures". */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** What of a data set was left out or read otherwise than it stands: a line for every kind, with counts and names. */
export function describeSkipped({ skipped, notes }: Pick<PictureSet, "skipped" | "notes">): string[] {
  return [...lines(skipped, "skipped "), ...lines(notes, "")];
}

function lines(files: readonly SkippedFile[], verb: string): string[] {
  const groups = new Map<string, SkippedFile[]>();
  for (const file of files) {
    // Reasons that differ in their numbers alone are of one kind.
    const kind = file.reason.replaceAll(/\d+/g, "0");
    const group = groups.get(kind) ?? [];
    groups.set(kind, group);
    group.push(file);
  }
  return [...groups.values()].map((group) => {
    const [{ file, reason }] = group;
    if (group.length === 1) return `${verb}${file}: ${reason}`;
    const same = group.every((one) => one.reason === reason);
    return `${verb}${group.length} (${someOf(group.map((one) => one.file))}): ${same ? "" : `the first, ${file}: `}${reason}`;
  });
}
