/** Rows of an ablation beside the first. */
import type { Budget, PlannedRow } from "./plan.js";
import { budgets } from "./plan.js";
import { type Difference, differenceOf, type Spread, spreadOf } from "./spread.js";

/** What a training came to. */
export interface TrainingResult {
  readonly key: string;
  /** Mean loss over all noise levels, of pictures that were never trained on. */
  readonly loss: number;
  /** Part of the drawn captions whose nearest training picture is one of five, and how like its own it looks. */
  readonly top5: number;
  /** @units dB */
  readonly psnr: number | null;
}

/** A row in numbers. */
export interface ComparedRow {
  readonly name: string;
  readonly paper?: number;
  readonly cost: number;
  readonly budgets: Readonly<Partial<Record<Budget, ComparedBudget>>>;
}

export interface ComparedBudget {
  readonly steps: number;
  readonly loss: Spread;
  readonly top5: Spread;
  /** Beside the first row; of that itself none. */
  readonly difference?: Difference;
}

/** Compares what is there: a row that some seed is missing of is left out. */
export function compareRows(rows: readonly PlannedRow[], results: ReadonlyMap<string, TrainingResult>): readonly ComparedRow[] {
  const found = (row: PlannedRow, budget: Budget): readonly TrainingResult[] | undefined => {
    const own = row.trainings[budget].flatMap(({ key }) => results.get(key) ?? []);
    return own.length === row.trainings[budget].length ? own : undefined;
  };
  return rows.map((row, i) => {
    const own = budgets.flatMap((budget) => {
      const [mine, first] = [found(row, budget), found(rows[0], budget)];
      if (!mine) return [];
      const losses = (of: readonly TrainingResult[]) => of.map(({ loss }) => loss);
      const compared: ComparedBudget = {
        steps: row.trainings[budget][0].steps,
        loss: spreadOf(losses(mine)),
        top5: spreadOf(mine.map(({ top5 }) => top5)),
        ...(i > 0 && first && { difference: differenceOf(losses(mine), losses(first)) }),
      };
      return [[budget, compared] as const];
    });
    const { name, paper, cost } = row;
    return { name, ...(paper !== undefined && { paper }), cost, budgets: Object.fromEntries(own) };
  });
}
