/** What was measured of a model's attention rows, for people. */
import type { LayerRedundancy } from "../../src/ptdit/redundancy/measureRedundancy.js";
import type { Quartiles } from "../../src/ptdit/redundancy/statistics.js";
import { type Outcome, outcomes, type Verdict } from "../../src/ptdit/redundancy/verdict.js";
import { type Column, tableLines } from "./table.js";

/** A layer at one time, beside the same of the model before it was trained. */
interface Compared {
  readonly own: LayerRedundancy;
  readonly untrained: LayerRedundancy | undefined;
}

const number = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "-" : value < 0.001 && value > 0 ? value.toExponential(0) : value.toFixed(3);

const column = (title: string, value: (of: Compared) => Quartiles | undefined): Column<Compared> => ({
  title,
  cell: (of) => number(value(of)?.[1]),
  right: true,
});

/** The outcome, and by which comparison it is not confirmed. */
function claim({ outcome, falls, belowRandom, costsLess }: Verdict): string {
  const failed = [...(falls ? [] : ["near"]), ...(belowRandom ? [] : ["random"]), ...(costsLess ? [] : ["E"])];
  return failed.length > 0 ? `${outcome} (${failed.join(", ")})` : outcome;
}

const columns: readonly Column<Compared>[] = [
  { title: "t", cell: ({ own }) => String(own.t), right: true },
  { title: "layer", cell: ({ own }) => String(own.layer), right: true },
  column("D near", ({ own }) => own.rows.near),
  column("D far", ({ own }) => own.rows.far),
  column("random", ({ own }) => own.random.far),
  column("untrained", ({ untrained }) => untrained?.rows.far),
  { title: "J by ring", cell: ({ own }) => own.rows.divergence.map(([, middle]) => number(middle)).join(" ") },
  { title: "mass by ring", cell: ({ own }) => own.rows.mass.map(([, middle]) => middle.toFixed(2)).join(" ") },
  column("E near", ({ own }) => own.errors.near),
  column("E far", ({ own }) => own.errors.far),
  column("none", ({ own }) => own.errors.none),
  column("query", ({ own }) => own.errors.query),
  column("keys", ({ own }) => own.errors.keys),
  column("both", ({ own }) => own.errors.both),
  column("pairs", ({ own }) => own.pairs),
  { title: "heads %", cell: ({ own }) => (100 * own.verdict.heads).toFixed(0), right: true },
  { title: "Spearman", cell: ({ own }) => own.verdict.correlation.toFixed(2), right: true },
  { title: "claim", cell: ({ own }) => claim(own.verdict) },
];

/** A line for every layer and time, with what they were before training beside. */
export const redundancyLines = (layers: readonly LayerRedundancy[], untrained: readonly LayerRedundancy[]): string[] =>
  tableLines(
    columns,
    layers.map((own) => ({ own, untrained: untrained.find(({ layer, t }) => layer === own.layer && t === own.t) })),
  );

/** How often each outcome was found. */
export const outcomeCounts = (layers: readonly LayerRedundancy[]): Readonly<Record<Outcome, number>> => {
  const count = (outcome: Outcome) => layers.filter(({ verdict }) => verdict.outcome === outcome).length;
  return { confirmed: count("confirmed"), unconfirmed: count("unconfirmed"), refuted: count("refuted") };
};

/** The same in words. */
export function outcomeText(layers: readonly LayerRedundancy[]): string {
  const counts = outcomeCounts(layers);
  return outcomes.map((outcome) => `${outcome} ${counts[outcome]}`).join(", ");
}
