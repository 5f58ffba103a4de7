import { leastPairs } from "../../src/ptdit/quality/kid.js";
import type { Quality } from "../../src/ptdit/quality/quality.js";

/** What samples are worth as a whole, in a line for each measure. */
export function qualityLines({ kid, novelty }: Quality): string[] {
  return [kid ? kidLine(kid) : `KID: too few samples are finite, at least ${leastPairs} are needed`, noveltyLine(novelty)];
}

function kidLine({ value, interval, floor, pairs }: NonNullable<Quality["kid"]>): string {
  const [low, high] = interval.map((bound) => bound.toFixed(3));
  const nothing =
    value > floor
      ? ""
      : `; real pictures differ as much by chance: ${pairs} samples are too few to tell, or there is no difference`;
  return `KID ${value.toFixed(3)} (${low} to ${high}; real against real up to ${floor.toFixed(3)}${nothing})`;
}

function noveltyLine(novelty: Quality["novelty"]): string {
  if (!novelty) return "novelty: too few finite samples, or training pictures, to tell";
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
  const { nearest, nearestReal, novel, novelReal } = novelty;
  return (
    `novelty: nearest training picture ${nearest.toFixed(1)} of 255 levels away, as these are ${nearestReal.toFixed(1)} from each other; ` +
    `${percent(novel)} of samples are new (of training pictures among the others ${percent(novelReal)})`
  );
}
