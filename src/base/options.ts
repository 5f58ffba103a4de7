/** What a person gave, held against what there is: options by their names and rules. */
import { isForeign } from "./copy.js";
import { editDistance } from "./editDistance.js";
import { ConfigError } from "./errors.js";

/** Names in a table that holds nothing besides. */
export const keysOf = <T extends object>(table: T): readonly (keyof T & string)[] => Object.keys(table) as (keyof T & string)[];

/** What a value must be. */
export interface Rule {
  /** Ends the sentence "… must be". */
  readonly text: string;
  readonly holds: (value: unknown) => boolean;
  /** Whether it may not be left out. */
  readonly needed?: true;
}

/** A rule for every option of T: the compiler sees to it that none is forgotten. */
export type Rules<T> = { readonly [K in keyof Required<T>]: Rule };

const isNumber = (value: unknown): value is number => typeof value === "number";

/** Whole numbers from `least` to `most`. */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Rule => ({
  text: most === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`,
  holds: (value) => isNumber(value) && Number.isSafeInteger(value) && value >= least && value <= most,
});
/** Seeds of random numbers. */
export const seedRule: Rule = { ...whole(0), text: "a whole number from 0 to 2^53 - 1" };
export const finite: Rule = { text: "a finite number", holds: Number.isFinite };
export const positive: Rule = { text: "a positive, finite number", holds: (v) => isNumber(v) && Number.isFinite(v) && v > 0 };
/** A limit; Infinity is none. */
export const positiveOrInfinite: Rule = { text: "a positive number", holds: (v) => isNumber(v) && v > 0 };
export const notNegative: Rule = {
  text: "a finite number of at least 0",
  holds: (v) => isNumber(v) && Number.isFinite(v) && v >= 0,
};
/** 0..1. */
export const part: Rule = { text: "a part from 0 to 1", holds: (v) => isNumber(v) && v >= 0 && v <= 1 };
/** 0..1, less 1 itself. */
export const partBelowOne: Rule = { text: "in [0, 1)", holds: (v) => isNumber(v) && v >= 0 && v < 1 };
export const oneOf = (...choices: readonly string[]): Rule => ({
  text: `one of ${choices.join(", ")}`,
  holds: (value) => choices.some((choice) => choice === value),
});
export const flag: Rule = { text: "true or false", holds: (value) => typeof value === "boolean" };
export const text: Rule = { text: "a text", holds: (value) => typeof value === "string" };
export const callable: Rule = { text: "a function", holds: (value) => typeof value === "function" };
export const anything: Rule = { text: "anything", holds: () => true };
/** Sizes along three axes of a video. */
export const triple: Rule = {
  text: "three positive whole numbers (frames, rows, columns)",
  holds: (value) => Array.isArray(value) && value.length === 3 && value.every((size) => whole(1).holds(size)),
};
/** Things by name. Lists, maps and promises have no names of their own: what is in them would be overlooked. */
const isNamed = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !(Symbol.iterator in value) && !("then" in value);
/** An object whose own options are checked elsewhere. */
export const object: Rule = { text: "an object", holds: isNamed };
/** The same rule for an option that must be given. */
export const needed = (rule: Rule): Rule => ({ ...rule, needed: true });
/** Either rule. */
export const either = (a: Rule, b: Rule): Rule => ({
  text: `${a.text}, or ${b.text}`,
  holds: (value) => a.holds(value) || b.holds(value),
});

/** Refuses options that are not known, missing, or against their rule.
 *  @throws ConfigError naming the option, its value and the rule */
export function checkOptions<T extends object>(where: string, given: T, rules: Rules<T>): void {
  const known = keysOf(rules);
  if (!isNamed(given)) {
    throw new ConfigError(`${where}: expected an object with ${known.join(", ")}, got ${show(given)}.`);
  }
  checkNames(where, "option", Object.keys(given), known);
  for (const name of known) {
    const rule = rules[name];
    if (given[name] !== undefined) checkValue(where, name, given[name], rule);
    else if (rule.needed) throw new ConfigError(`${where}: ${name} is missing. It must be ${rule.text}.`);
  }
}

/** @throws ConfigError when a value is against its rule */
export function checkValue(where: string, name: string, value: unknown, rule: Rule): void {
  if (!rule.holds(value)) throw new ConfigError(`${where}: ${name} must be ${rule.text}, got ${show(value)}.`);
}

/** @throws ConfigError for the first name that is not known, with the nearest that is */
export function checkNames(where: string, kind: string, given: readonly string[], known: readonly string[]): void {
  for (const name of given) {
    if (known.includes(name)) continue;
    const nearest = known.find(
      (other) => editDistance(name.toLowerCase(), other.toLowerCase()) <= Math.max(1, other.length / 3),
    );
    const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
    throw new ConfigError(`${where}: unknown ${kind} "${name}".${hint} Known: ${known.join(", ") || "none"}.`);
  }
}

/** Longest text that an error repeats. */
const longest = 40;

/** A value of any kind as errors print it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value);
  if (typeof value === "function") return `the function ${value.name || "without a name"}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (isForeign(value))
    return "what another copy of ptdit made: two are loaded. Load it once, by one bundle and in one version";
  if (value instanceof Promise) return "a promise. Await it";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const { name } = Object(value).constructor ?? {};
  return typeof name === "string" && name !== "Object"
    ? `a value of type ${name}`
    : `an object { ${Object.keys(value).join(", ")} }`;
}
