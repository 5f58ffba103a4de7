/** Redundancy of attention rows as it was measured here: a claim and a section of docs/paper.md, from docs/measured/redundancy.json. */
import type { LayerRedundancy } from "../src/ptdit/redundancy/measureRedundancy.ts";
import { median } from "../src/ptdit/redundancy/statistics.ts";
import { type Outcome, outcomes } from "../src/ptdit/redundancy/verdict.ts";
import { table } from "./markdown.ts";
import { readMeasured, verdictOf } from "./measured.ts";

/** What JSON keeps of quartiles: what there is none of is null. */
type KeptQuartiles = readonly (number | null)[];
type Value = (own: LayerRedundancy) => KeptQuartiles;

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

const read = (): Measured => readMeasured("redundancy") as Measured;

const countOf = (layers: readonly LayerRedundancy[], outcome: Outcome): number =>
  layers.filter(({ verdict }) => verdict.outcome === outcome).length;
const outcomeText = (layers: readonly LayerRedundancy[]): string =>
  outcomes.map((outcome) => `${countOf(layers, outcome)} ${outcome}`).join(", ");

/** The paper's claim, and a verdict by how many layers and times the rule confirms. */
export function redundancyClaims(): string[][] {
  const { layers } = read();
  const all = layers.length;
  const verdict = verdictOf(all, countOf(layers, "confirmed"), countOf(layers, "refuted"));
  const holds = (name: "falls" | "belowRandom" | "costsLess") =>
    `${layers.filter((own) => own.verdict[name]).length} of ${all}`;
  return [
    [
      "attention rows of a window agree on far keys and differ on near ones",
      `of ${all} layers and times of a trained model: ${outcomeText(layers)}`,
      `**${verdict}**: rows agree better far than near in ${holds("falls")}, and better than rows from anywhere in ${holds("belowRandom")}, ` +
        `and reading the far rows' mean costs less than reading that of the near ones in ${holds("costsLess")}`,
    ],
  ];
}

/** Median over layers of a median. */
const middle = (of: readonly LayerRedundancy[], value: Value, digits = 3): string =>
  median(of.map((own) => value(own)[1] ?? Number.NaN)).toFixed(digits);
/** The same ring by ring. */
const byRing = (of: readonly LayerRedundancy[], value: (own: LayerRedundancy) => readonly KeptQuartiles[]): string =>
  value(of[0])
    .map((_, ring) => middle(of, (own) => value(own)[ring], 2))
    .join(" ");
/** A median, between its quartiles. */
const between = ([first, second, third]: KeptQuartiles): string => {
  const [low, own, high] = [first, second, third].map((value) => value?.toFixed(2) ?? "-");
  return `${own} (${low}–${high})`;
};

const shareOfHeads = (of: readonly LayerRedundancy[]): string =>
  (100 * median(of.map(({ verdict }) => verdict.heads))).toFixed(0);
const spearman = (of: readonly LayerRedundancy[]): string => median(of.map(({ verdict }) => verdict.correlation)).toFixed(2);

/** A row a time: the layers then, trained and untrained, as cells. */
const rowsByTime = (
  { times, layers, untrained }: Measured,
  cells: (own: readonly LayerRedundancy[], before: readonly LayerRedundancy[]) => string[],
): string[][] =>
  times.map((t) => {
    const [own, before] = [layers, untrained].map((all) => all.filter((one) => one.t === t));
    return [String(t), ...cells(own, before)];
  });

/** Medians over layers. */
const timeRows = (measured: Measured): string[][] =>
  rowsByTime(measured, (own, before) => [
    middle(own, ({ rows }) => rows.near),
    middle(own, ({ rows }) => rows.far),
    middle(own, ({ random }) => random.far),
    middle(before, ({ rows }) => rows.far),
    middle(own, ({ errors }) => errors.near),
    middle(own, ({ errors }) => errors.far),
    middle(own, ({ errors }) => errors.none),
    middle(own, ({ errors }) => errors.both),
    outcomes.map((outcome) => countOf(own, outcome)).join(" / "),
  ]);

/** The same ring by ring, from the window itself outwards. */
const ringRows = (measured: Measured): string[][] =>
  rowsByTime(measured, (own, before) => [
    byRing(own, ({ rows }) => rows.spread),
    byRing(own, ({ random }) => random.spread),
    byRing(before, ({ rows }) => rows.spread),
    byRing(own, ({ rows }) => rows.divergence),
    byRing(own, ({ rows }) => rows.cosine),
    byRing(own, ({ rows }) => rows.mass),
    middle(own, ({ pairs }) => pairs),
    shareOfHeads(own),
    spearman(own),
  ]);

/** Every layer at every time, with quartiles. */
const layerRows = ({ layers }: Measured): string[][] =>
  layers.map((own) => [
    String(own.layer),
    String(own.t),
    between(own.rows.near),
    between(own.rows.far),
    between(own.random.far),
    between(own.errors.near),
    between(own.errors.far),
    shareOfHeads([own]),
    spearman([own]),
    own.verdict.outcome,
  ]);

/** Whether rows of attention agree far away. */
export function redundancySection(): string {
  const measured = read();
  const { step, data, grid, window, samples, times, rule, layers } = measured;
  const agree = layers.filter(({ verdict }) => verdict.falls && verdict.belowRandom);
  const costsMore = agree.filter(({ verdict }) => !verdict.costsLess).length;
  const sumFar = ({ rows: { mass } }: LayerRedundancy) => mass.slice(2).reduce((sum, [, weight]) => sum + (weight || 0), 0);
  const farWeight = (100 * median(layers.map(sumFar))).toFixed(0);
  const timeHead = ["D near", "D far", "D far, random rows", "D far, untrained", "E near", "E far", "none", "both"];
  const ringHead = ["D", "D, random rows", "D, untrained", "J", "C", "mass", "pairs", "heads, %", "Spearman"];
  const layerHead = ["t", "D near", "D far", "D far, random rows", "E near", "E far", "heads, %", "Spearman", "claim"];
  return `## Redundancy, measured

A model with full attention and ${layers.length / times.length} layers over ${grid.slice(1).join(" x ")} tokens, trained here for ${step} steps; ${samples} pictures of ${data}, windows of ${window.slice(1).join(" x ")};
medians over layers of medians over heads, pictures and windows. \`docs/redundancy.md\` defines the measures and says how it was run.
The rule: ${rule}.

${table(["t", ...timeHead, outcomes.join(" / ")], timeRows(measured))}

Of ${layers.length} layers and times ${outcomes.map((outcome) => `${countOf(layers, outcome)} are ${outcome}`).join(", ")}. In ${agree.length} rows agree better on far keys than on near ones, and better than rows
from anywhere; in ${costsMore} of these replacing the far rows by their mean costs more than replacing the near ones. Far keys have ${farWeight} % of the
weight in the middle. _None_ is what the output loses without far keys, _both_ what remains of that where proxies read proxies in their place.

The same ring by ring, from the window itself outwards: D and its controls, J, C and the weight. _Heads_ are those for which the claim holds
by themselves; _Spearman_ is the rank correlation of a ring's number and its D.

${table(["t", ...ringHead], ringRows(measured))}

Every layer, with quartiles over heads, pictures and windows in brackets:

${table(["layer", ...layerHead], layerRows(measured))}

![Attention rows of a window, and D by ring](paper-redundancy.png)`;
}
