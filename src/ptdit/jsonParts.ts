/** Parts of JSON that may be anything, each asked for what it must be. */

/** Throws the error of a rule that is broken. */
export type Refuse = (rule: string) => never;

/** An object, its parts unread. */
export function record(value: unknown, name: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse(`"${name}" must be an object, got ${shown(value)}`);
  return value as Readonly<Record<string, unknown>>;
}

/** An object that has all these parts. */
export function complete(
  value: unknown,
  name: string,
  parts: readonly string[],
  refuse: Refuse,
): Readonly<Record<string, unknown>> {
  const whole = record(value, name, refuse);
  for (const part of parts) if (!(part in whole)) refuse(`the part "${name}.${part}" is missing`);
  return whole;
}

export function finite(value: unknown, name: string, refuse: Refuse): number {
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : refuse(`"${name}" must be a number, got ${shown(value)}`);
}

export function trueOrFalse(value: unknown, name: string, refuse: Refuse): boolean {
  return typeof value === "boolean" ? value : refuse(`"${name}" must be true or false, got ${shown(value)}`);
}

export function wholeNumber(value: unknown, name: string, least: number, refuse: Refuse): number {
  return Number.isSafeInteger(value) && (value as number) >= least
    ? (value as number)
    : refuse(`"${name}" must be a whole number from ${least}, got ${shown(value)}`);
}

/** A value as an error shows it: never longer than a line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
