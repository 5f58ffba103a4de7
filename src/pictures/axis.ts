/** One axis of a chart: which numbers it shows, and how far along it a number lies. */
export interface Axis {
  readonly ticks: readonly number[];
  /** 0 at the start of the axis, 1 at its end. */
  position(value: number): number;
}

/** An axis over the finite numbers among `values`, all positive if `logarithmic`, with about `count` ticks at round numbers. */
export function axisOf(values: readonly number[], count: number, logarithmic = false): Axis {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0.1, 1];
  if (low === high) [low, high] = low > 0 ? [low / 2, low * 2] : [low - 1, low + 1];
  const ticks = roundNumbers(low, high, count, logarithmic).filter((tick) => tick >= low && tick <= high);
  const place = logarithmic ? Math.log : (value: number) => value;
  return { ticks, position: (value) => (place(value) - place(low)) / (place(high) - place(low)) };
}

function roundNumbers(low: number, high: number, count: number, logarithmic: boolean): number[] {
  const decades = logarithmic ? Math.log10(high / low) : 0;
  // Over less than a decade, evenly spaced numbers read better than 1, 2, 5.
  if (decades >= 1) {
    const digits = decades > count ? [1] : [1, 2, 5];
    const first = Math.floor(Math.log10(low));
    const stride = Math.ceil(decades / count);
    const powers = Array.from({ length: Math.ceil(decades / stride) + 2 }, (_, i) => first + i * stride);
    return powers.flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)));
  }
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough / 1.3) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** A tick's number in few letters: 20k for 20000. */
export function tickLabel(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 && size < 1e9) return `${Number((value / 1e6).toPrecision(4))}M`;
  if (size >= 1e4 && size < 1e6) return `${Number((value / 1e3).toPrecision(4))}k`;
  return size === 0 || (size >= 1e-3 && size < 1e4)
    ? `${Number(value.toPrecision(4))}`
    : value.toExponential(1).replace(".0e", "e");
}
