import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runSpeedrun, trainerOf } from "../../cli/commands/speedrun.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import { recipeNames, recipes } from "../../src/ptdit/recipes.js";
import type { SpeedrunEvent } from "../../src/ptdit/speedrun.js";
import * as racing from "../../src/ptdit/speedrun.js";
import { root } from "./command.js";
import { printed } from "./inProcess.js";

vi.mock("../../src/ptdit/speedrun.js", { spy: true });
afterEach(() => {
  process.exitCode = undefined;
});

const result = { steps: 50, multiplyAdds: 4.25e12, seconds: 61.25, top1: 0.96875, psnr: 20.25, hash: "0a1b" };
/** Stands in for a run of minutes. */
function ends(reached: boolean): void {
  const judgement = { ...{ captions: 64, distinctCaptions: 64, top5: 1, misses: [], measured: 64 }, ...result };
  const judged = { ...judgement, speckle: null, hf: null, seam: null };
  vi.mocked(racing.speedrun).mockImplementation(async function* (): AsyncGenerator<SpeedrunEvent, void, undefined> {
    yield { type: "judged", step: 50, judgement: judged };
    yield { type: "ended", result: { ...result, reached } };
  });
}

describe("ptdit speedrun", () => {
  it("runs the recipe's course on the fixed task, and prints exactly what a record needs", async () => {
    ends(true);
    const { out, err } = await printed(() =>
      runSpeedrun({ recipe: "baseline", device: "wasm", threads: 1, mostSteps: 75, json: true }),
    );
    expect(JSON.parse(out)).toEqual({ recipe: "baseline", ...result });
    expect(Object.keys(JSON.parse(out))).toEqual(["recipe", "steps", "multiplyAdds", "seconds", "top1", "psnr", "hash"]);
    expect(err).toMatch(/^baseline: nano on emoji:64 .*\nstep 50: top-1 96\.9 %, PSNR 20\.25 dB\n$/);
    expect(process.exitCode).toBeUndefined();
    const [trainer, options] = vi.mocked(racing.speedrun).mock.lastCall!;
    expect(options).toEqual({ ...recipes.baseline.speedrun, mostSteps: 75 });
    expect(trainer.options).toMatchObject({
      flow: { prediction: "flow" },
      training: { optimizer: "adamW", batch: 16, seed: 0 },
    });
    expect(trainer.data).toMatchObject({ name: "emoji:64", count: 64, size: 32 });
    expect(trainer.device.describe().details[0]).toMatch(/^kernels: SIMD, /);
  });

  it("says in words what it took, and fails where the goal is not reached", async () => {
    ends(false);
    const { out } = await printed(() => runSpeedrun({ recipe: "clean", device: "wasm", threads: 1 }));
    expect(out.split("\n").slice(0, 4)).toEqual([
      "clean: nano on emoji:64 at 32 px, seed 0, batch 16; simd kernels, 1 thread; 9.55 G multiply-adds a step",
      "step 50: top-1 96.9 %, PSNR 20.25 dB",
      "not reached (top-1 95.0 % and PSNR 20.00 dB): 50 steps, 4.25 T multiply-adds, 1:01 of training; top-1 96.9 %, PSNR 20.25 dB",
      "averaged weights: 0a1b",
    ]);
    expect(process.exitCode).toBe(1);
  });
});

describe("the records of docs/speedrun.md", () => {
  const text = readFileSync(join(root, "docs/speedrun.md"), "utf8");
  const cells = (line: string) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1);
  const records = text
    .split("\n")
    .filter((line) => / `[\da-f]{64}` \|$/.test(line))
    .map(cells);
  const number = (cell: string) => Number(cell.replaceAll(",", ""));

  it.each(recipeNames)("hold what the recipe %s plans now: its course, and the multiply-adds of its steps", async (name) => {
    const [, , course, steps, multiplyAdds] = records.filter(([recipe]) => recipe === name).at(-1);
    const planned = recipes[name].speedrun;
    expect(number(course)).toBe(planned.steps);
    expect(number(steps)).toBeGreaterThanOrEqual(planned.from);
    expect(number(steps)).toBeLessThanOrEqual(planned.steps);
    const trainer = await trainerOf(wasmPlanning(), name);
    expect(number(multiplyAdds)).toBe(number(steps) * trainer.stepProgram.multiplyAdds);
    trainer.dispose();
  });
});
