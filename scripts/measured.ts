/** What was measured here, kept in docs/measured/ as the commands print it, and the verdict of a claim that has parts. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const measuredPath = (name: string): string => fileURLToPath(new URL(`../docs/measured/${name}.json`, import.meta.url));

export const readMeasured = (name: string): unknown => JSON.parse(readFileSync(measuredPath(name), "utf8"));

/** Of so many parts of a claim those that were confirmed, and those that were found the other way round. */
export const verdictOf = (all: number, confirmed: number, contradicted: number): string =>
  confirmed === all ? "confirmed" : confirmed > 0 && contradicted === 0 ? "confirmed in part" : "not confirmed";
