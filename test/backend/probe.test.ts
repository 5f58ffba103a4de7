import { describe, expect, it } from "vitest";
import { bestRate, type Clock, clockStep, type Loop, type RaceRules, race } from "../../src/backend/wasm/probe.js";
import { philox } from "../../src/base/random.js";

/** A machine whose loops take known times, seen through a clock that moves in steps. */
class Machine {
  private time = 12.34;
  constructor(private readonly stepMs: number) {}

  readonly clock: Clock = () => {
    this.time += 0.00004;
    return this.stepMs > 0 ? Math.floor(this.time / this.stepMs) * this.stepMs : this.time;
  };

  /** A loop of so many GFLOP/s, of tiles of 6x8x256; `slower` says by how much the machine holds it up this time. */
  loop(rate: number, slower: () => number = () => 1): Loop {
    return (repeats) => {
      const operations = repeats * 2 * 6 * 8 * 256;
      this.time += (operations / (rate * 1e6)) * slower();
      return operations;
    };
  }
}

const frozen: Clock = () => 1000;
// Steps that browsers have: isolated pages, others, Firefox and Safari.
const steps = [0, 0.005, 0.02, 0.1, 1];

describe("rates by coarse clocks", () => {
  it.each(steps)("steps of %f ms are seen", (step) => {
    expect(clockStep(new Machine(step).clock)).toBeCloseTo(step || 0.00004, 5);
  });

  it.each(steps)("a rate is right within a twentieth where the clock moves in steps of %f ms", (step) => {
    for (const rate of [0.5, 31, 50, 400]) {
      const machine = new Machine(step);
      const measured = bestRate(machine.loop(rate), 1, machine.clock);
      expect(measured / rate).toBeGreaterThan(0.95);
      expect(measured / rate).toBeLessThan(1.05);
    }
  });

  it("is not a number where the clock stands still or hardly moves, and measuring ends", () => {
    const machine = new Machine(100);
    expect(bestRate(machine.loop(50), 1, machine.clock)).toBeNaN();
    let repeats = 0;
    const counted: Loop = (n) => {
      repeats += n;
      return n;
    };
    expect(bestRate(counted, 1, frozen)).toBeNaN();
    expect(repeats).toBeLessThan(1e6);
  });

  it("ends where the clock stops only while it measures", () => {
    const machine = new Machine(0);
    for (const moves of [4, 6, 10]) {
      let [reads, last] = [0, 0];
      const stopping: Clock = () => {
        if (++reads < moves) last = machine.clock();
        return last;
      };
      expect(bestRate(machine.loop(50), 1, stopping)).toSatisfy((rate) => Number.isNaN(rate) || Math.abs(rate - 50) < 1);
    }
  });
});

describe("a race of two loops", () => {
  const rules: RaceRules = { lead: 1.15, patience: 0, longestSlice: 4 };
  /** Held up three times out of five, by up to five times. */
  function disturbed(seed: number): () => number {
    let draw = 0;
    return () => {
      const [a, b] = philox([draw++, 0, 0, 0], [seed, 0]).map((word) => word / 2 ** 32) as [number, number];
      return a < 0.6 ? 1 + 4 * b : 1;
    };
  }
  const measured = [0, 0.005, 0.02, 0.1];

  it.each(measured)("between equals has no winner however the machine is disturbed: steps of %f ms", (step) => {
    for (let seed = 0; seed < 100; seed++) {
      const machine = new Machine(step);
      const [a, b] = [machine.loop(50, disturbed(seed)), machine.loop(50, disturbed(seed + 1000))];
      expect(race(a, b, rules, machine.clock)).toMatchObject({ secondWins: false });
    }
  });

  it.each(measured)("with patience is won by who is a third faster: steps of %f ms", (step) => {
    for (let seed = 0; seed < 100; seed++) {
      const machine = new Machine(step);
      const [a, b] = [machine.loop(85, disturbed(seed)), machine.loop(85 * 1.36, disturbed(seed + 1000))];
      expect(race(a, b, { ...rules, patience: 300 }, machine.clock)).toMatchObject({ secondWins: true });
    }
  });

  it("is not run by a clock that could not tell: its steps are too long, or none", () => {
    const machine = new Machine(1);
    expect(race(machine.loop(50), machine.loop(500), rules, machine.clock)).toBeUndefined();
    expect(race(machine.loop(50), machine.loop(70), { ...rules, longestSlice: 40 }, machine.clock)?.secondWins).toBe(true);
    expect(race(machine.loop(50), machine.loop(500), { ...rules, longestSlice: 1e9 }, frozen)).toBeUndefined();
  });

  it("waits for who gets faster late, as long as it is told to", () => {
    const late = (patience: number) => {
      const machine = new Machine(0);
      let time = 0;
      const second: Loop = (repeats) => machine.loop(++time > 4000 ? 80 : 20)(repeats);
      return race(machine.loop(50), second, { ...rules, patience }, machine.clock)?.secondWins;
    };
    expect([late(0), late(1000)]).toEqual([false, true]);
  });
});
