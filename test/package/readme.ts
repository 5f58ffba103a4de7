/** What the README says to run: its command lines, written as `ptdit train --data emoji|FOLDER [--steps N | --minutes M]`, and its code. */
import { readFileSync } from "node:fs";

/** A command line of the README. */
export interface Usage {
  /** As written, without the comment. */
  readonly text: string;
  readonly command: string;
  /** Every option named in the line or its comment. */
  readonly options: readonly string[];
  readonly parts: readonly Part[];
}

/** A word, or several to choose from; in brackets, groups of words to choose from or leave out. */
type Part = { readonly words: readonly string[] } | { readonly groups: readonly (readonly string[])[] };

/** The text between fences of a language, in the README or another page. */
export function blocks(language: string, page = "README.md"): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].filter(([, named]) => named === language).map(([, , text]) => text);
}

/** All command lines that start with `ptdit`. */
export function usages(): Usage[] {
  const lines = blocks("sh").flatMap((text) => text.split("\n").filter((line) => line.startsWith("ptdit ")));
  return lines.map((line) => {
    const text = line.split(/\s#\s/)[0].trim();
    const [, command, ...tokens] = text.match(/"[^"]*"|\[|\]|[^\s[\]]+/g) as string[];
    const parts: Part[] = [];
    while (tokens.length > 0) {
      const token = tokens.shift() as string;
      if (token !== "[") {
        parts.push({ words: token.split("|") });
        continue;
      }
      const inside = tokens.splice(0, tokens.indexOf("]"));
      tokens.shift();
      const groups: string[][] = [[]];
      for (const word of inside) {
        if (word === "|") groups.push([]);
        else groups.at(-1).push(word);
      }
      parts.push({ groups });
    }
    return { text, command: command, options: line.match(/--[a-z][\w-]*/g) ?? [], parts };
  });
}

/** `--resume` needs a run that is there. */
const isLater = (part: Part): boolean => "groups" in part && part.groups.some(([first]) => first === "--resume");

/**
 * Command lines that together use every word there is to choose: with one choice, what must be given and then all that may be; with
 * several, each with all but one of what may be left out. What needs an earlier run comes once more at the end.
 */
export function variants({ parts }: Usage): string[][] {
  const now = parts.filter((part) => !isLater(part));
  const optional = now.filter((part) => "groups" in part);
  const most = Math.max(1, ...now.map((part) => ("words" in part ? part.words.length : part.groups.length)));
  const required = Math.max(1, ...now.map((part) => ("words" in part ? part.words.length : 1)));
  const line = (turn: number, isOut: (part: Part) => boolean, those = now): string[] =>
    those.flatMap((part) => {
      if ("words" in part) return [part.words[turn % part.words.length]];
      return isOut(part) ? [] : [...part.groups[(turn + 1) % part.groups.length]];
    });
  const count = Math.max(most, required);
  const lines =
    required === 1
      ? [line(0, () => true), ...Array.from({ length: optional.length > 0 ? count : 0 }, (_, turn) => line(turn, () => false))]
      : Array.from({ length: count }, (_, turn) => line(turn, (part) => part === optional[turn]));
  return now.length === parts.length ? lines : [...lines, line(count - 1, () => false, [...parts])];
}
