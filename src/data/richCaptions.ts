/** More than a name can say: captions made by rule of what is known of a picture. */
import { hashName } from "../base/random.js";
import type { VisibleFacts } from "../pictures/visibleFacts.js";
import { wordsOf } from "./tokenizer.js";

/** What captions may be made of: the picture's name, or all that is known of it. */
export const captionKinds = ["name", "rich"] as const;
export type CaptionKind = (typeof captionKinds)[number];

/** What is known of a picture. */
export interface Known {
  readonly name: string;
  /** What it is looked for by, the most telling first. */
  readonly tags?: readonly string[];
  /** What kind of thing it is, "food fruit". */
  readonly kind?: string;
  readonly facts?: VisibleFacts;
}

/** Captions of one picture beside its name. */
export interface RichCaptions {
  /** What training draws from, the fullest first. */
  readonly variants: readonly string[];
  /** A phrasing that training never sees, of words that it does see; undefined: there are too few to keep one back. */
  readonly heldOut?: string;
}

/** Which parts a phrasing has, in the order of their rank. */
interface Phrasing {
  /** Whether it can do without the name. */
  readonly nameless?: true;
  /** Tags: from which on, and how many. They go round, so that all come up. */
  readonly tags?: readonly [from: number, count: number];
  readonly kind?: true;
  readonly colours?: true;
  readonly ground?: true;
}

const phrasings: readonly Phrasing[] = [
  { tags: [3, 3], kind: true, colours: true, ground: true },
  { kind: true, colours: true, ground: true },
  { tags: [0, 3] },
  { tags: [3, 2], colours: true },
  { tags: [5, 2], kind: true },
  { kind: true },
  { colours: true, ground: true },
  { colours: true },
  { ground: true },
  { nameless: true, tags: [0, 3], kind: true, colours: true },
];

/** Tags of a picture that are used. */
const mostTags = 6;
/** What stands for a name must be this many tags. */
const leastNameless = 2;
/** One that is held out leaves two others at least. */
const leastVariants = 3;

/**
 * The captions of a picture beside its name. The same for the same knowledge, whatever else is in the set.
 * @param longest words of a caption; parts that do not fit are left out, the later of a phrasing first
 */
export function richCaptions(known: Known, longest: number): RichCaptions {
  const own = { ...known, tags: tellingTags(known) };
  const seen = new Set([wordsKey(known.name)]);
  const all = phrasings.flatMap((phrasing) => {
    const caption = phrased(own, phrasing, longest);
    const key = wordsKey(caption);
    if (caption === "" || seen.has(key)) return [];
    seen.add(key);
    return [caption];
  });
  const heldOut = all.length < leastVariants ? undefined : choice(known.name, all);
  if (heldOut === undefined) return { variants: all };
  return { variants: all.filter((caption) => caption !== heldOut), heldOut };
}

/** What a caption is to a model: its words. */
const wordsKey = (caption: string): string => wordsOf(caption).join(" ");

/** Tags that say more than the name and the kind do. */
function tellingTags({ name, kind = "", tags = [] }: Known): string[] {
  const said = new Set(wordsOf(`${name} ${kind}`));
  return tags.filter((tag) => wordsOf(tag).some((word) => !said.has(word))).slice(0, mostTags);
}

/** A caption by a phrasing; empty where the picture lacks what it needs. */
function phrased(
  { name, tags, kind, facts }: Known & { readonly tags: readonly string[] },
  phrasing: Phrasing,
  longest: number,
) {
  if (phrasing.nameless && tags.length < leastNameless) return "";
  const parts = phrasing.nameless || name === "" ? [] : [name];
  let left = longest - wordsOf(parts.join()).length;
  const add = (part: string): void => {
    const { length } = wordsOf(part);
    if (length === 0 || length > left) return;
    parts.push(part);
    left -= length;
  };
  const [from, count] = phrasing.tags ?? [0, 0];
  for (let i = 0; i < Math.min(count, tags.length); i++) add(tags[(from + i) % tags.length]);
  if (phrasing.kind && kind) add(kind);
  const colours = phrasing.colours && facts ? listed(facts.colours) : "";
  const ground = phrasing.ground && facts?.ground ? `on ${facts.ground}` : "";
  // "a cat on white", but "a cat, black on white".
  if (parts.length === 1 && colours === "" && ground !== "" && wordsOf(ground).length <= left) return `${parts[0]} ${ground}`;
  add([colours, ground].filter((part) => part !== "").join(" "));
  return parts.join(", ");
}

/** "red", "red and green", "red, green and white". */
function listed(words: readonly string[]): string {
  const [last = "", ...before] = [...words].reverse();
  return before.length === 0 ? last : `${before.reverse().join(", ")} and ${last}`;
}

/** The caption that is held out: the first, from a place that the picture's name gives, all of whose words the others have too. */
function choice(name: string, captions: readonly string[]): string | undefined {
  const start = hashName(name) % captions.length;
  const turned = [...captions.slice(start), ...captions.slice(0, start)];
  return turned.find((caption) => {
    const others = new Set(captions.filter((other) => other !== caption).flatMap(wordsOf));
    return wordsOf(caption).every((word) => others.has(word));
  });
}
