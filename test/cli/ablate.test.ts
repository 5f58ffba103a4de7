import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ownAblations } from "../../cli/ablate/files.js";
import { splitSet, trainOne } from "../../cli/ablate/train.js";
import { type AblateOptions, ablate } from "../../cli/commands/ablate.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { loadDataset } from "../../src/node/load.js";
import { planAblation } from "../../src/ptdit/ablation/plan.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { recipes } from "../../src/ptdit/recipes.js";
import { at, useTemporaryFolders } from "../temporaryFolder.js";
import { ptdit } from "./command.js";
import { printed } from "./inProcess.js";

useTemporaryFolders();

const table = (more: Partial<AblateOptions> = {}): AblateOptions => ({
  ...{
    data: "emoji:64",
    preset: "nano",
    recipe: "baseline",
    steps: 2,
    seeds: 2,
    batch: 2,
    size: 16,
    device: "wasm",
    threads: 1,
  },
  ...{ out: at("out"), file: at("mine.json") },
  ...more,
});
const options = (more: Partial<AblateOptions> = {}): AblateOptions => table({ json: true, ...more });
const mine = {
  about: "depth",
  rows: [
    { name: "one block", model: { depth: 1, heads: 1, headDim: 16 } },
    { name: "two blocks", model: { depth: 2, heads: 1, headDim: 16 }, paper: 1.5 },
  ],
};

describe("ptdit ablate", () => {
  it("has the paper's ablations, whose rows are what they say", async () => {
    const all = await ownAblations();
    // What each changes, and the FID that the paper prints of it.
    expect(all.map(({ name, rows }) => [name, rows.map(({ name: row, model, paper }) => [row, model, paper])])).toEqual([
      [
        "components",
        [
          ["PT-DiT", undefined, 19.3],
          ["without GIIM", { mixing: "windows" }, 23.71],
          ["without shifted windows", { mixing: "proxyUnshifted" }, 23.59],
          ["without TCM", { mixing: "proxyAlone" }, 69.07],
          ["full attention", { mixing: "full" }, undefined],
        ],
      ],
      [
        "injection",
        [
          ["cross-attention", undefined, 19.3],
          ["linear", { injection: "linear" }, 20.24],
          ["interpolation", { injection: "interpolation" }, 21.82],
        ],
      ],
      [
        "proxies",
        [
          ["mean", undefined, 19.3],
          ["first", { proxyMode: "first" }, 20.84],
          ["random", { proxyMode: "random" }, 21],
        ],
      ],
      [
        "windows",
        [
          ["1,2,2", { window: [1, 2, 2] }, 19.3],
          ["1,4,4", { window: [1, 4, 4] }, 21.24],
          ["1,8,8", { window: [1, 8, 8] }, 20.43],
        ],
      ],
    ]);
    // First rows without a change are the paper's: what a model has where nobody says otherwise.
    expect(ptditConfig({})).toMatchObject({ mixing: "proxy", injection: "crossAttention", proxyMode: "mean" });
    expect((await ownAblations(["proxies"])).map(({ name }) => name)).toEqual(["proxies"]);
    await expect(ownAblations(["proxie"])).rejects.toThrow(/unknown ablation "proxie". Did you mean "proxies"/);
  });

  it("trains what is not there yet, keeps it, and compares", async () => {
    writeFileSync(at("mine.json"), JSON.stringify(mine));
    const first = await printed(() => ablate(options({ plot: at("plot.svg") })));
    expect(first.err).toMatch(/^6 trainings, 6 of them not done yet/);
    const { ablations, ...task } = JSON.parse(first.out);
    expect(task).toEqual({ data: "emoji:64", preset: "nano", recipe: "baseline", batch: 2, size: 16, steps: 2, seeds: 2 });
    const [{ name, rows }] = ablations;
    expect(name).toBe("mine");
    expect(rows[1]).toMatchObject({
      name: "two blocks",
      paper: 1.5,
      budgets: { steps: { steps: 2 }, arithmetic: { steps: 1 } },
    });
    expect(rows[1].budgets.steps.difference.half).toBeGreaterThan(0);
    expect(rows[0].budgets.steps.loss.mean).toBeGreaterThan(0);
    expect(readFileSync(at("plot.svg"), "utf8")).toMatch(/two blocks, equal arithmetic/);

    // What is there is not made again, but for another task.
    const lines = readFileSync(at("out", "results.jsonl"), "utf8").trim().split("\n");
    expect(lines).toHaveLength(6);
    const { key } = JSON.parse(lines[0]).result;
    expect(existsSync(at("out", key, "log.jsonl"))).toBe(true);
    expect(existsSync(at("out", key, "checkpoint.safetensors"))).toBe(false);
    // A kill may tear the last line.
    writeFileSync(at("out", "results.jsonl"), `${lines.slice(1).join("\n")}\n${lines[0].slice(0, 40)}`);
    const again = await printed(() => ablate(options()));
    expect(again.err).toMatch(/^6 trainings, 1 of them not done yet/);
    expect(JSON.parse(again.out).ablations).toEqual(ablations);
    expect((await printed(() => ablate(table({ plan: true })))).err).toMatch(/^6 trainings, 0 of them not done yet/);
    const other = await printed(() => ablate(table({ batch: 3, plan: true })));
    expect(other.err).toMatch(/^6 trainings, 6 of them/);
    expect(other.out).toMatch(/^mine: depth\nrow +a step costs/);
  });

  it("goes on with a training that was stopped, and comes to the same", async () => {
    const data = await loadDataset("emoji:64", { size: 16 });
    const { flow, training } = recipes.baseline;
    const task = { ...splitSet(data), tokenizer: Tokenizer.fromCaptions(data.captions), recipe: { flow, training }, batch: 2 };
    const base = ptditConfig({ depth: 1, heads: 1, headDim: 16, patch: 2, sampleSize: 16 });
    const [{ trainings }] = planAblation(mine, base, { steps: 3, seeds: 1 }, () => 1);
    const device = await wasm({ threads: 1 });
    const train = async (folder: string, stopAfter: number) => {
      const seen: number[] = [];
      const signal = { aborted: false };
      const onStep = (step: number) => {
        seen.push(step);
        signal.aborted = step === stopAfter;
      };
      const result = await trainOne(device, task, trainings.steps[0], { folder, signal, onStep });
      return { seen, result };
    };
    try {
      const whole = await train(at("whole"), 0);
      expect(whole.seen).toEqual([1, 2, 3]);
      expect(await train(at("stopped"), 1)).toEqual({ seen: [1], result: undefined });
      expect(await train(at("stopped"), 0)).toEqual({ seen: [2, 3], result: whole.result });
    } finally {
      device.close();
    }
  });

  it("refuses what is no ablation, and too few pictures", async () => {
    writeFileSync(at("mine.json"), "{");
    await expect(ablate(options())).rejects.toThrow(/mine\.json: is no ablation/);
    await expect(ablate(options({ file: at("none.json") }))).rejects.toThrow(/none\.json: is no ablation: ENOENT/);
    expect((await ptdit(["ablate", "--only", "x", "--file", "y"])).err).toMatch(/cannot be used with/);
    expect((await ptdit(["ablate", "--seeds", "99"])).err).toMatch(/at most 16/);
  });

  it("holds every tenth picture out", async () => {
    const data = await loadDataset("emoji:64", { size: 8 });
    const { train, heldOut } = splitSet(data);
    expect([train.count, heldOut.count]).toEqual([58, 6]);
    expect(heldOut.captions[1]).toBe(data.captions[19]);
    expect(await heldOut.sample(1)).toEqual(await data.sample(19));
    expect(train.captions).not.toContain(data.captions[19]);
  });
});
