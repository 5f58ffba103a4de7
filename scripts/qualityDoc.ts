/** What the measures of samples make of pictures whose faults are known: a section of docs/paper.md, from docs/measured/quality.json. */
import type { Kid } from "../src/ptdit/quality/kid.ts";
import type { Quality } from "../src/ptdit/quality/quality.ts";
import { table } from "./markdown.ts";
import { readMeasured } from "./measured.ts";
import { percent } from "./paperCounts.ts";

export interface QualityRow extends Quality {
  readonly name: string;
}

/** What `scripts/measure-quality.ts` keeps. */
export interface MeasuredQuality {
  readonly data: string;
  readonly size: number;
  readonly pictures: number;
  readonly rows: readonly QualityRow[];
}

export const readQuality = (): MeasuredQuality => readMeasured("quality") as MeasuredQuality;

/** What is to come farther and farther from real pictures. */
export const sanityOrder = [
  "real pictures, one half beside the other",
  "another style",
  "blur of 5 pixels",
  "noise of 102 levels",
] as const;

/** The kernel distance of a row. */
export function kidOf({ rows }: MeasuredQuality, name: string): Kid {
  const found = rows.find((row) => row.name === name)?.kid;
  if (!found) throw new Error(`quality: docs/measured/quality.json has no KID of "${name}". Run scripts/measure-quality.ts.`);
  return found;
}

const levels = (value: number): string => value.toFixed(1);

/** KID and novelty, checked. */
export function qualitySection(): string {
  const measured = readQuality();
  const { data, size, pictures, rows } = measured;
  const cells = rows.map(({ name, kid, novelty }) => [
    name,
    ...(kid
      ? [String(kid.pairs), kid.value.toFixed(3), kid.interval.map((end) => end.toFixed(3)).join(" to "), kid.floor.toFixed(3)]
      : ["", "-", "", ""]),
    ...(novelty
      ? [levels(novelty.nearest), levels(novelty.nearestReal), percent(novelty.novel, 1), percent(novelty.novelReal, 1)]
      : ["", "", "", ""]),
  ]);
  const order = sanityOrder.map((name) => kidOf(measured, name));
  const apart = order.slice(1).filter((own, i) => own.interval[0] > (i === 0 ? own.floor : order[i].interval[1])).length;
  const head = [
    "pairs",
    "KID",
    "95 % of estimates",
    "floor",
    "nearest picture, levels",
    "among the real",
    "new",
    "among the real",
  ];
  return `## Measures of samples, checked

What \`ptdit eval\` prints beside retrieval, of ${pictures} pictures of ${data} at ${size} px. **KID** is the kernel distance of features from those of
the real pictures, its **floor** what 95 of 100 random halves of these stay below. The features are of the small network that comes with the
package, not Inception's: figures compare with each other alone. **New** are samples farther from their nearest training picture, or its
mirror image, than that one is from its own nearest neighbour; the levels are medians, of 255. \`npx tsx scripts/measure-quality.ts\` measures it.

${table(["samples", ...head], cells)}

Of the order real against real, another style (mirrored, a tenth of each colour in the next one), blur, noise ${apart} of ${order.length - 1} steps are beyond chance: the
style's interval above its floor, the others' above that of the one before.

No set that comes with the package has more than one style, so no pairs of a concept and a style can be held out.`;
}
