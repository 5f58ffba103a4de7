/** The paper's ablations as they were trained here: claims and a section of docs/paper.md, from docs/measured/ablations.json. */
import { ablationPlot, type ComparedAblation, showDifference } from "../cli/ablate/show.ts";
import type { ComparedRow } from "../src/ptdit/ablation/compare.ts";
import { type Budget, budgets } from "../src/ptdit/ablation/plan.ts";
import { halfInterval } from "../src/ptdit/ablation/spread.ts";
import { table } from "./markdown.ts";
import { readMeasured, verdictOf } from "./measured.ts";

/** What `ptdit ablate --json` prints. */
interface Ablated {
  readonly data: string;
  readonly preset: string;
  readonly recipe: string;
  readonly batch: number;
  readonly size: number;
  readonly steps: number;
  readonly seeds: number;
  readonly ablations: readonly ComparedAblation[];
}

const read = (): Ablated => readMeasured("ablations") as Ablated;

/** Two rows of which the paper has the first as the better one, and what was found of it. */
export interface FoundPair {
  readonly better: string;
  readonly worse: string;
  readonly found: "confirmed" | "contradicted" | "open";
}

/** All pairs of rows in the paper's order. Beside the first row seeds are compared one by one; of two others no more is kept than their
 *  deviations, whose sum bounds that of their differences. */
export function foundPairs(rows: readonly ComparedRow[], budget: Budget, seeds: number): FoundPair[] {
  const ordered = rows
    .flatMap((row) =>
      row.paper !== undefined && row.budgets[budget] ? [{ row, paper: row.paper, own: row.budgets[budget] }] : [],
    )
    .sort((a, b) => a.paper - b.paper);
  return ordered.flatMap(({ row, paper, own }, i) =>
    ordered.slice(i + 1).flatMap((other): FoundPair[] => {
      if (other.paper === paper) return [];
      const pair = { better: row.name, worse: other.row.name };
      const gap = other.own.loss.mean - own.loss.mean;
      const [a, b] = [own.loss.deviation, other.own.loss.deviation];
      const besideFirst = row === rows[0] ? other.own.difference : other.row === rows[0] ? own.difference : undefined;
      const half = besideFirst ? besideFirst.half : a === null || b === null ? null : halfInterval(a + b, seeds);
      if (half === null || Math.abs(gap) <= half) return [{ ...pair, found: "open" }];
      return [{ ...pair, found: gap > 0 ? "confirmed" : "contradicted" }];
    }),
  );
}

const budgetNames: Readonly<Record<Budget, string>> = { steps: "at equal steps", arithmetic: "at equal arithmetic" };

/** A claim a row: the paper's order of an ablation, how many of its pairs were found, and a verdict by those of equal steps, which the
 *  paper's are. */
export function ablationClaims(): string[][] {
  const { seeds, ablations } = read();
  return ablations.map(({ name, rows }) => {
    const order = rows
      .filter(({ paper }) => paper !== undefined)
      .sort((a, b) => (a.paper ?? 0) - (b.paper ?? 0))
      .map((row) => row.name);
    const pairs = { steps: foundPairs(rows, "steps", seeds), arithmetic: foundPairs(rows, "arithmetic", seeds) };
    const of = (budget: Budget, found: FoundPair["found"]) => pairs[budget].filter((pair) => pair.found === found);
    const counts = budgets.map(
      (budget) =>
        `${budgetNames[budget]} ${of(budget, "confirmed").length} of ${pairs[budget].length} pairs confirmed, ${of(budget, "contradicted").length} contradicted`,
    );
    const [yes, no] = [of("steps", "confirmed"), of("steps", "contradicted")];
    const verdict = verdictOf(pairs.steps.length, yes.length, no.length);
    const said = [
      ...yes.map(({ better, worse }) => `${better} is better than ${worse}`),
      ...no.map(({ better, worse }) => `${worse} is better than ${better}`),
    ];
    const open = pairs.steps.length - said.length;
    const rest = open > 0 ? [`${open} of the pairs ${open > 1 ? "are" : "is"} within chance`] : [];
    return [
      `ablation of the ${name}, best first: ${order.join("; ")}`,
      counts.join("; "),
      `**${verdict}**: ${budgetNames.steps} ${[...said, ...rest].join(", ")}`,
    ];
  });
}

/** docs/paper-ablations.svg. */
export const ablationSvg = (): string => ablationPlot(read().ablations);

/** The paper's ablations, trained here. */
export function ablationSection(): string {
  const { data, preset, recipe, batch, size, steps, seeds, ablations } = read();
  const tables = ablations.map(({ name, about, rows }) => {
    const cells = rows.map(({ name: row, paper, cost, budgets: own }) => [
      row,
      cost.toFixed(2),
      ...budgets.flatMap((budget) => {
        const found = own[budget];
        if (!found) return ["-", ""];
        const { loss, difference } = found;
        return [`${found.steps}: ${loss.mean.toFixed(4)}`, difference ? showDifference(difference) : ""];
      }),
      paper?.toFixed(2) ?? "",
    ]);
    const head = [
      "row",
      "a step costs",
      "equal steps: loss",
      "beside the first",
      "equal arithmetic: loss",
      "beside the first",
      "paper's FID",
    ];
    return `**${name}**: ${about}\n\n${table(head, cells)}`;
  });
  return `## Ablations, trained here

\`ptdit ablate --data ${data} --preset ${preset} --recipe ${recipe} --steps ${steps} --seeds ${seeds} --batch ${batch} --size ${size}\`: ${seeds} trainings a row, on ${data} at
${size} px. The loss is that of pictures which are never trained on, the mean over ten levels of noise; differences to the first row are taken
seed by seed, with the interval of 95 % (Student's t). A claim is made where it leaves 0 out. These are short trainings of a small model, and
not the paper's 400,000 steps on ImageNet: they tell what helps at the beginning. Less is better, of FID too.

${tables.join("\n\n")}

![Differences with their intervals](paper-ablations.svg)`;
}
