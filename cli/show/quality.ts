import { type Kid, leastPairs } from "../../src/ptdit/quality/kid.js";
import type { Quality } from "../../src/ptdit/quality/quality.js";

/** What samples are worth as a whole, in a line for each measure. */
export function qualityLines({ kid, novelty }: Quality): string[] {
  return [kid ? kidLine(kid) : `KID: too few samples are finite, at least ${leastPairs} are needed`, noveltyLine(novelty)];
}

function kidLine(kid: Kid): string {
  const [value, low, high, floor] = [kid.value, ...kid.interval, kid.floor].map((number) => number.toFixed(3));
  return `KID ${value} (${low} to ${high}; real against real up to ${floor})${caution(kid)}`;
}

/** What keeps a distance from telling much. */
function caution({ value, interval: [low], floor, pairs }: Kid): string {
  if (value > floor) return "";
  if (low <= 0) return `: there is no difference, or ${pairs} samples are too few to tell`;
  return `: there is a difference, but real pictures, ${pairs} of them, differ as much by chance`;
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
