import { basename, isAbsolute, relative, resolve, sep } from "node:path";
import { hashName } from "../src/base/random.js";
import { emojiSets, isEmojiSet } from "../src/node/emoji.js";
import { lettersOf } from "../src/pictures/font.js";

/** Bytes a name may take: file systems allow 255, and endings are added. */
const mostBytes = 120;

/** A text as part of a file name, safe everywhere: letters and digits of every script, "_", "." and "-" stay, all else becomes "-".
 *  Different texts may give the same. */
export function plainName(text: string): string {
  const plain = text.replace(/[^\p{L}\p{N}\p{M}_.-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "");
  const kept = lettersOf(plain);
  while (Buffer.byteLength(kept.join("")) > mostBytes) kept.pop();
  return kept.join("");
}

/** As `plainName`, but different for every text: a name that is not the text itself, or that is taken, ends in a number made from the text. */
function distinctName(text: string, source = text, taken: readonly string[] = []): string {
  const plain = plainName(text);
  if (plain === source && !taken.includes(plain)) return plain;
  return [plain, hashName(source).toString(16).padStart(8, "0")].filter((part) => part !== "").join("-");
}

/**
 * What the run of a data set is called: `emoji-64-nano`, `图片-nano`. A folder right below the working directory lends its name, one further
 * away its name and a number made from its path; however it is typed, the name is the same.
 */
export function runName(data: string, preset: string, workingDirectory = process.cwd()): string {
  const ofSet = (set: string) => set.replaceAll(":", "-");
  return `${isEmojiSet(data) ? ofSet(data) : folderName(data, workingDirectory, emojiSets.map(ofSet))}-${preset}`;
}

function folderName(data: string, workingDirectory: string, taken: readonly string[]): string {
  const path = resolve(workingDirectory, data);
  const inside = relative(workingDirectory, path);
  const outside = inside === "" || inside.split(sep)[0] === ".." || isAbsolute(inside);
  const source = (outside ? path : inside).replaceAll(sep, "/");
  return distinctName(outside ? basename(path) : source, source, taken);
}
