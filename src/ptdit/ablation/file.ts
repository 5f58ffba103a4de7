/** An ablation: models that differ in one thing, a row each. */
import { ConfigError } from "../../base/errors.js";
import { checkOptions, finite, needed, object, type Rules, text } from "../../base/options.js";
import { type PTDiTConfig, ptditConfig } from "../config.js";

/** One model of an ablation. */
export interface AblationRow {
  readonly name: string;
  /** What it has otherwise than the base. */
  readonly model?: Partial<PTDiTConfig>;
  /** What the paper measured, less being better. */
  readonly paper?: number;
}

/** A file of an ablation. */
export interface Ablation {
  readonly about: string;
  /** Where the rows, and the paper's numbers, are from. */
  readonly source?: string;
  /** The first is what the others are held against. */
  readonly rows: readonly AblationRow[];
}

const rules: Rules<Ablation> = {
  about: needed(text),
  source: text,
  rows: needed({ text: "a list of two rows or more", holds: (value) => Array.isArray(value) && value.length > 1 }),
};
const rowRules: Rules<AblationRow> = { name: needed(text), model: object, paper: finite };

/** Reads an ablation from JSON.
 *  @param where what errors call it: its file
 *  @throws ConfigError naming what is missing, unknown, or against its rule */
export function ablationOf(where: string, json: unknown): Ablation {
  if (!object.holds(json)) throw new ConfigError(`${where}: an ablation must be an object { about, rows }.`);
  const ablation = json as Ablation;
  checkOptions(where, ablation, rules);
  ablation.rows.forEach((row, i) => {
    if (!object.holds(row)) throw new ConfigError(`${where}: row ${i + 1} must be an object { name, model }.`);
    checkOptions(`${where}: row ${i + 1}`, row, rowRules);
    ptditConfig(row.model ?? {});
  });
  const names = ablation.rows.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ConfigError(`${where}: two rows are called "${twice}". Give each a name of its own.`);
  return ablation;
}

/** The model of a row: the base with what the row has otherwise. A window of its own is also the proxies'. */
export function rowModel(base: PTDiTConfig, { model = {} }: AblationRow): PTDiTConfig {
  const proxyWindow = model.proxyWindow ?? model.window ?? base.proxyWindow;
  return ptditConfig({ ...base, ...model, proxyWindow });
}
