/** Which trainings an ablation takes. */
import { callable, checkOptions, checkValue, needed, type Rules, whole } from "../../base/options.js";
import { hashName } from "../../base/random.js";
import type { PTDiTConfig } from "../config.js";
import { type Ablation, rowModel } from "./file.js";
import { mostSeeds } from "./spread.js";

/** What rows have equally many of. */
export const budgets = ["steps", "arithmetic"] as const;
export type Budget = (typeof budgets)[number];

export interface AblationOptions {
  /** Steps of the first row; of the others in the comparison at equal steps. */
  readonly steps: number;
  /** Seeds 0, 1, 2 … */
  readonly seeds: number;
}

const rules: Rules<AblationOptions> = { steps: needed(whole(1)), seeds: needed(whole(1, mostSeeds)) };

/** A model that is trained once. */
export interface Training {
  /** Of all that its result depends on, what is the task's apart. */
  readonly key: string;
  readonly model: PTDiTConfig;
  readonly steps: number;
  readonly seed: number;
  /** @units multiply-adds of all steps */
  readonly multiplyAdds: number;
}

/** A row and its trainings, one a seed. */
export interface PlannedRow {
  readonly name: string;
  readonly paper?: number;
  /** Multiply-adds of a step, as a part of the first row's. */
  readonly cost: number;
  readonly trainings: Readonly<Record<Budget, readonly Training[]>>;
}

/** Arithmetic so near to the first row's that equal steps are equal arithmetic. */
const near = 0.02;

/**
 * The rows of an ablation with their trainings, at equal steps and at equal arithmetic; equal trainings have equal keys.
 * @param costOf multiply-adds of a model's training step
 * @throws ConfigError when an option is unknown or against its rule
 */
export function planAblation(
  { rows }: Ablation,
  base: PTDiTConfig,
  options: AblationOptions,
  costOf: (model: PTDiTConfig) => number,
): readonly PlannedRow[] {
  checkOptions("ablation", options, rules);
  checkValue("ablation", "what costs are by", costOf, callable);
  const { steps, seeds } = options;
  const first = costOf(rowModel(base, rows[0]));
  return rows.map((row) => {
    const model = rowModel(base, row);
    const own = costOf(model);
    const cost = own / first;
    const length = { steps, arithmetic: Math.abs(cost - 1) < near ? steps : Math.max(1, Math.round(steps / cost)) };
    const trainings = (count: number): readonly Training[] =>
      Array.from({ length: seeds }, (_, seed) => {
        const settings = JSON.stringify(Object.entries(model).sort(([a], [b]) => (a < b ? -1 : 1)));
        const key = `${hashName(settings).toString(16)}-${count}-${seed}`;
        return { key, model, steps: count, seed, multiplyAdds: count * own };
      });
    return {
      name: row.name,
      ...(row.paper !== undefined && { paper: row.paper }),
      cost,
      trainings: { steps: trainings(length.steps), arithmetic: trainings(length.arithmetic) },
    };
  });
}
