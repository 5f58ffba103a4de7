/** What a data set held, small enough to be kept with a run: so that a later look can say what has changed. */
import { FormatError } from "../base/errors.js";
import { hashName } from "../base/random.js";
import type { PictureSet } from "./pictureSet.js";

export interface DataFingerprint {
  /** Names of the pictures, in their order. */
  readonly names: readonly string[];
  /** Eight hexadecimal digits a picture: of its captions, and of what it shows at the run's size. */
  readonly captions: string;
  readonly pictures: string;
}

/** How a data set differs from what it was, by the names of its pictures. */
export interface DataChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly recaptioned: readonly string[];
  readonly redrawn: readonly string[];
  /** The same pictures in another order. */
  readonly reordered: boolean;
}

/** Hexadecimal digits of a 32-bit hash. */
const digits = 8;
const hex = (hash: number): string => hash.toString(16).padStart(digits, "0");

/** The fingerprint of a data set. Pictures without file names go by their captions. */
export function fingerprintOf(
  data: Pick<PictureSet, "files" | "captions" | "variants" | "pictures" | "count">,
): DataFingerprint {
  const { files, captions, variants = [], pictures, count } = data;
  const pixels = pictures.length / Math.max(1, count);
  return {
    names: files ?? captions,
    captions: captions.map((caption, i) => hex(hashName([caption, ...(variants[i] ?? [])].join("\n")))).join(""),
    pictures: captions.map((_, i) => hex(hashPicture(pictures.subarray(i * pixels, (i + 1) * pixels)))).join(""),
  };
}

/** 32-bit FNV-1a of the pixels in 256 steps. @shape picture [...] in -1..1 */
function hashPicture(picture: Float32Array): number {
  let hash = 0x811c9dc5;
  for (const value of picture) hash = Math.imul(hash ^ Math.round((value + 1) * 127.5), 0x01000193);
  return hash >>> 0;
}

/** What changed between two fingerprints; undefined: nothing. */
export function dataChanges(before: DataFingerprint, now: DataFingerprint): DataChanges | undefined {
  const [old, own] = [places(before), places(now)];
  const kept = [...old].flatMap(([key, from]) => {
    const to = own.get(key);
    return to === undefined ? [] : [{ name: before.names[from], from, to }];
  });
  const differing = (part: "captions" | "pictures") =>
    kept.filter(({ from, to }) => entry(before[part], from) !== entry(now[part], to)).map(({ name }) => name);
  const lacking = ({ names }: DataFingerprint, mine: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>) =>
    [...mine].filter(([key]) => !other.has(key)).map(([, at]) => names[at]);
  const changes = {
    added: lacking(now, own, old),
    removed: lacking(before, old, own),
    recaptioned: differing("captions"),
    redrawn: differing("pictures"),
    reordered: kept.some(({ to }, i) => i > 0 && to < kept[i - 1].to),
  };
  const { reordered, ...lists } = changes;
  return reordered || Object.values(lists).some((names) => names.length > 0) ? changes : undefined;
}

const entry = (hashes: string, i: number): string => hashes.slice(i * digits, (i + 1) * digits);

/** Where each picture stands; of equal names, one after the other. */
function places({ names }: DataFingerprint): Map<string, number> {
  const seen = new Map<string, number>();
  return new Map(
    names.map((name, i) => {
      const times = seen.get(name) ?? 0;
      seen.set(name, times + 1);
      return [`${times} ${name}`, i] as const;
    }),
  );
}

/** Changes in a line: counts and the first names. */
export function showChanges({ reordered, ...lists }: DataChanges): string {
  const parts = Object.entries(lists)
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => `${names.length} ${kind} (${firstOf(names)})`);
  return [...parts, ...(reordered ? ["another order"] : [])].join(", ");
}

/** The first names of a list, and how many more there are. */
function firstOf(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return [...names.slice(0, most), ...(rest > 0 ? [`and ${rest} more`] : [])].join(", ");
}

/** @throws FormatError when the value is no fingerprint */
export function fingerprintFromJson(json: unknown): DataFingerprint {
  const { names, captions, pictures }: Partial<Record<keyof DataFingerprint, unknown>> = Object(json);
  const fits = (hashes: unknown): hashes is string =>
    typeof hashes === "string" && Array.isArray(names) && hashes.length === names.length * digits;
  const valid = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (!valid || !fits(captions) || !fits(pictures))
    throw new FormatError("fingerprint: it must hold names, and eight digits a name for captions and pictures.");
  return { names, captions, pictures };
}
