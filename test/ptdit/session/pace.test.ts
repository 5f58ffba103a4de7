import { describe, expect, it } from "vitest";
import { Pace, type PaceOptions } from "../../../src/ptdit/session/pace.js";

interface Machine {
  /** @units seconds of the step of this number, of a grid and of a checkpoint */
  readonly step: (n: number) => number;
  readonly grid?: number;
  readonly save?: number;
}

/** Runs a pretended run; returns every time left that was shown and when, and how long it took. */
async function pretend(
  options: Partial<PaceOptions>,
  { step, grid = 0, save = 0 }: Machine,
  stopAt = Number.POSITIVE_INFINITY,
) {
  let time = 1000;
  const pace = new Pace({ step: 0, steps: 0, every: { save: 200, sample: 250 }, ...options, now: () => time });
  const from = options.step ?? 0;
  const shown: { at: number; left: number }[] = [];
  let at = from;
  const pass = (seconds: number) => async () => {
    time += seconds;
  };
  while (at < Math.min(pace.steps || Number.POSITIVE_INFINITY, stopAt)) {
    at++;
    time += step(at - from);
    pace.stepped();
    const left = pace.left();
    if (left !== undefined) shown.push({ at: time - 1000, left });
    if (at % 250 === 0) await pace.aside("sample", pass(grid));
    if (at % 200 === 0) await pace.aside("save", pass(save));
  }
  return { pace, shown, steps: at, seconds: time - 1000 };
}

/** How much the time left ever grew, in seconds. */
const growth = (shown: readonly { left: number }[]) =>
  Math.max(0, ...shown.slice(1).map(({ left }, i) => left - shown[i].left));

const machines: [string, Machine][] = [
  ["even", { step: () => 0.1 }],
  ["with grids and checkpoints", { step: () => 0.1, grid: 2.5, save: 0.3 }],
  ["with slow grids", { step: () => 0.1, grid: 6, save: 1 }],
  ["that warms up", { step: (n) => 0.1 + 0.4 * Math.exp(-n / 4), grid: 2 }],
  ["that compiles first", { step: (n) => (n === 1 ? 4 : 0.1), grid: 2 }],
  ["that tires by a tenth", { step: (n) => 0.1 * (1 + 0.1 * (1 - Math.exp(-n / 100))), grid: 2 }],
  ["that is uneven", { step: (n) => 0.1 * (1 + 0.3 * Math.sin(n * 1.7) + 0.1 * Math.sin(n / 9)), grid: 2 }],
];

describe("time left of a run", () => {
  it.each(machines)("of so many steps never grows on a machine %s, and is near the truth", async (_, machine) => {
    const { shown, seconds } = await pretend({ steps: 2000 }, machine);
    expect(growth(shown)).toBe(0);
    for (const { at, left } of shown.slice(100)) expect(Math.abs(left - (seconds - at))).toBeLessThan(0.2 * seconds);
  });

  it.each(machines)("of so many minutes never grows on a machine %s, and they are kept", async (_, machine) => {
    const { shown, seconds, pace } = await pretend({ secondsLeft: 240 }, machine);
    expect(growth(shown)).toBe(0);
    expect(seconds).toBeGreaterThan(0.85 * 240);
    expect(seconds + (machine.grid ?? 0)).toBeLessThan(1.1 * 240);
    expect(pace.secondsLeft).toBeUndefined();
  });

  it("grows when the machine becomes far slower", async () => {
    const { shown } = await pretend({ steps: 1000 }, { step: (n) => (n < 300 ? 0.1 : 0.5) });
    expect(growth(shown)).toBeGreaterThan(0);
    expect(shown.at(-200)?.left).toBeCloseTo(100, -1);
  });
});

describe("minutes", () => {
  it("that are fewer than thirty steps need are kept too", async () => {
    const { seconds, steps } = await pretend({ secondsLeft: 60 }, { step: () => 8 });
    expect(steps).toBeLessThan(9);
    expect(seconds).toBeLessThan(75);
  });
  it("that were stopped early go on with what was left of them, not with the first guess", async () => {
    const machine = { step: () => 0.1 };
    const first = await pretend({ secondsLeft: 120 }, machine, 20);
    expect(first.pace.secondsLeft).toBeCloseTo(118, 0);
    const second = await pretend({ step: 20, secondsLeft: first.pace.secondsLeft }, machine);
    expect(second.seconds).toBeGreaterThan(100);
    expect(second.seconds).toBeLessThan(120);
  });
});
