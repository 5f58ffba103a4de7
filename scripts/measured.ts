/** What was measured on models trained here, kept in docs/measured/ as the commands print it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const measuredPath = (name: string): string => fileURLToPath(new URL(`../docs/measured/${name}.json`, import.meta.url));

export const readMeasured = (name: string): unknown => JSON.parse(readFileSync(measuredPath(name), "utf8"));
