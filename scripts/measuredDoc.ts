/** What was measured of the paper's claims on models trained here, as sections of docs/paper.md: from docs/measured/. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ComparedAblation, showDifference } from "../cli/ablate/show.ts";
import { budgets } from "../src/ptdit/ablation/plan.ts";
import type { LayerRedundancy } from "../src/ptdit/redundancy/measureRedundancy.ts";
import { median } from "../src/ptdit/redundancy/statistics.ts";
import { outcomes } from "../src/ptdit/redundancy/verdict.ts";
import { table } from "./markdown.ts";

const read = (name: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../docs/measured/${name}.json`, import.meta.url)), "utf8"));

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

/** The paper's ablations, trained here. */
export function ablationSection(): string {
  const { data, preset, recipe, batch, size, steps, seeds, ablations } = read("ablations") as Ablated;
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

/** What `ptdit redundancy --json` prints. */
interface Measured {
  readonly step: number;
  readonly data: string;
  readonly grid: readonly number[];
  readonly window: readonly number[];
  readonly samples: number;
  readonly times: readonly number[];
  readonly rule: string;
  readonly layers: readonly LayerRedundancy[];
  readonly untrained: readonly LayerRedundancy[];
}

/** Whether rows of attention agree far away. */
export function redundancySection(): string {
  const { step, data, grid, window, samples, times, rule, layers, untrained } = read("redundancy") as Measured;
  const middle = (of: readonly LayerRedundancy[], value: (own: LayerRedundancy) => readonly (number | null)[]) =>
    median(of.map((own) => value(own)[1] ?? Number.NaN)).toFixed(3);
  const rows = times.map((t) => {
    const [own, before] = [layers, untrained].map((all) => all.filter((one) => one.t === t));
    const verdicts = outcomes.map((outcome) => own.filter(({ verdict }) => verdict.outcome === outcome).length);
    return [
      String(t),
      middle(own, ({ rows }) => rows.near),
      middle(own, ({ rows }) => rows.far),
      middle(own, ({ random }) => random.far),
      middle(before, ({ rows }) => rows.far),
      middle(own, ({ errors }) => errors.near),
      middle(own, ({ errors }) => errors.far),
      middle(own, ({ errors }) => errors.none),
      middle(own, ({ errors }) => errors.both),
      verdicts.join(" / "),
    ];
  });
  const head = [
    "t",
    "D near",
    "D far",
    "D far, random rows",
    "D far, untrained",
    "E near",
    "E far",
    "none",
    "both",
    outcomes.join(" / "),
  ];
  const count = (outcome: string) => layers.filter(({ verdict }) => verdict.outcome === outcome).length;
  const agrees = layers.filter(({ verdict }) => verdict.falls && verdict.belowRandom).length;
  const costsMore = layers.filter(({ verdict }) => verdict.falls && verdict.belowRandom && !verdict.costsLess).length;
  const sumFar = ({ rows: { mass } }: LayerRedundancy) => mass.slice(2).reduce((sum, [, weight]) => sum + (weight || 0), 0);
  const farWeight = (100 * median(layers.map(sumFar))).toFixed(0);
  return `## Redundancy, measured

A full-attention \`nano\` of ${grid.slice(1).join(" x ")} tokens, trained here for ${step} steps on ${data}; ${samples} pictures, windows of ${window.slice(1).join(" x ")}; medians over layers of medians over
heads, pictures and windows. \`docs/redundancy.md\` defines the measures. The rule: ${rule}.

${table(head, rows)}

Of ${layers.length} layers and times ${outcomes.map((outcome) => `${count(outcome)} are ${outcome}`).join(", ")}. In ${agrees} rows agree better on far keys than on near ones, and better than rows
from anywhere; in ${costsMore} of these replacing the far rows by their mean costs more all the same: far keys have ${farWeight} % of the weight. _None_ is what
the output loses without far keys, _both_ what remains of that where proxies read proxies in their place.

![Attention rows of a window, and D by ring](paper-redundancy.png)`;
}
