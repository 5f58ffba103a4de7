/** Ablations as tables and as a plot. */
import type { ComparedRow } from "../../src/ptdit/ablation/compare.js";
import { type Budget, budgets } from "../../src/ptdit/ablation/plan.js";
import type { Difference } from "../../src/ptdit/ablation/spread.js";
import { differencePlotSvg } from "../show/differencePlot.js";
import { type Column, tableLines } from "../show/table.js";

/** An ablation, compared. */
export interface ComparedAblation {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly ComparedRow[];
}

const budgetNames: Readonly<Record<Budget, string>> = { steps: "equal steps", arithmetic: "equal arithmetic" };

/** A difference in words: its interval, and what may be claimed. */
export function showDifference({ mean, half, claim }: Difference): string {
  const signed = `${mean < 0 ? "−" : "+"}${Math.abs(mean).toFixed(4)}`;
  if (half === null) return `${signed}, one seed`;
  return `${signed} ± ${half.toFixed(4)}: ${claim === "none" ? "no claim" : claim}`;
}

const columns: readonly Column<ComparedRow>[] = [
  { title: "row", cell: ({ name }) => name },
  { title: "a step costs", cell: ({ cost }) => cost.toFixed(2), right: true },
  ...budgets.flatMap((budget): Column<ComparedRow>[] => [
    { title: `${budgetNames[budget]}: steps`, cell: (row) => String(row.budgets[budget]?.steps ?? "-"), right: true },
    {
      title: "held-out loss",
      cell: ({ budgets: own }) => {
        const loss = own[budget]?.loss;
        return loss ? `${loss.mean.toFixed(4)}${loss.deviation === null ? "" : ` ± ${loss.deviation.toFixed(4)}`}` : "-";
      },
      right: true,
    },
    {
      title: "beside the first",
      cell: ({ budgets: own }) => {
        const difference = own[budget]?.difference;
        return difference ? showDifference(difference) : "";
      },
    },
  ]),
  { title: "paper's FID", cell: ({ paper }) => paper?.toFixed(2) ?? "", right: true },
];

/** The table of one, under its name. */
export const ablationLines = ({ name, about, rows }: ComparedAblation): string[] => [
  `${name}: ${about}`,
  ...tableLines(columns, rows),
  "",
];

/** Differences to the first row, at equal steps (full) and at equal arithmetic (hollow), with intervals of 95 %. */
export function ablationPlot(ablations: readonly ComparedAblation[]): string {
  const groups = ablations.map(({ name, rows }) => ({
    title: `${name}: beside ${rows[0].name}`,
    rows: rows.flatMap((row) =>
      budgets.flatMap((budget) => {
        const difference = row.budgets[budget]?.difference;
        if (!difference || (budget === "arithmetic" && row.budgets.steps?.steps === row.budgets.arithmetic?.steps)) return [];
        const { mean, half } = difference;
        return [
          { name: `${row.name}${budget === "steps" ? "" : ", equal arithmetic"}`, mean, half, hollow: budget !== "steps" },
        ];
      }),
    ),
  }));
  return differencePlotSvg({ title: "Ablations", x: "held-out loss, less that of the first row: less is better", groups });
}
