import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { evaluate } from "../../cli/commands/eval.js";
import { exportRun } from "../../cli/commands/export.js";
import type { TrainOptions } from "../../cli/commands/train.js";
import { fineTuneName } from "../../cli/training/fineTune.js";
import { ConfigError } from "../../src/base/errors.js";
import { loadCheckpoint } from "../../src/node/checkpoint.js";
import { at, tree, useTemporaryFolders } from "../temporaryFolder.js";
import { drawn, logOf, oldRun, printed, trained } from "./inProcess.js";

useTemporaryFolders();
/** A model of 64 emoji, and pictures that it does not know. */
let from = "";
let data = "";
beforeEach(async () => {
  from = oldRun(at("model"));
  data = at("pets");
  await drawn(data, { "red axolotl.png": 200, "old ferret.png": 30, "red heart.png": 120 });
});
const tune = (options: TrainOptions = {}) => trained({ from, data, out: at("own"), steps: 2, ...options });
const saved = (out = at("own")) => loadCheckpoint(join(out, "checkpoint.safetensors"));
const bytes = (out: string) => readFileSync(join(out, "checkpoint.safetensors"));

describe("ptdit train --from", () => {
  it("begins from the model, learns new words among its pictures, and says so in a line", async () => {
    const { out, err, finished } = await tune();
    expect(finished).toBe(true);
    expect(err).not.toMatch(/warning/);
    expect(out.split("\n")[0]).toBe(
      `from ${from}: 3 new words (axolotl, ferret, old); rehearses emoji:64, 1 of 2 pictures a step; 2 steps, rate 0.0003 after a rise of 20`,
    );
    expect(out).toMatch(/67 pictures of 8 px/);
    const [{ run }, model] = [await saved(), await saved(from)];
    expect(run).toMatchObject({
      ...{ model: model.run.model, flow: model.run.flow, size: 8, data, step: 2 },
      rehearsal: { part: 0.5, sets: [{ data: "emoji:64" }] },
      training: { ...model.run.training, lr: 3e-4, warmup: 20 },
      tokenizer: { words: [...model.run.tokenizer.words, "axolotl", "ferret", "old"] },
    });
    expect(run.fingerprint?.names.slice(0, 3)).toEqual(["old ferret.png", "red axolotl.png", "red heart.png"]);
    expect(logOf(at("own")).at(-1)).toMatchObject({ step: 2 });
    expect(tree(at("own"))).toContain(join("samples", "step-000002.png"));
  });

  it("resumed at any step equals a run that was never stopped, bit for bit", async () => {
    await tune({ steps: 4, out: at("straight") });
    await tune({ steps: 4, stopAt: 2, out: at("parts") });
    const { out } = await trained({ out: at("parts"), resume: true });
    expect(out).toMatch(/resumed at step 2 of 4: nothing changed/);
    expect(bytes(at("parts")).equals(bytes(at("straight")))).toBe(true);
    await expect(trained({ out: at("parts"), resume: true, rehearse: 0.25 })).rejects.toThrow(
      /cannot change --rehearse 0\.25 \(it has 0\.5\)/,
    );
    expect(await trained({ out: at("parts"), resume: true, rehearse: 0.5 })).toMatchObject({ finished: true });
  });

  it("takes what may differ: batch, rate, seed, part", async () => {
    const { out } = await tune({ batch: 4, lr: 1e-3, warmup: 1, seed: 3, rehearse: 0.25, floor: 0, mirror: true });
    expect(out).toMatch(/1 of 4 pictures a step; 2 steps, rate 0\.001 after a rise of 1\n/);
    const { training, rehearsal } = (await saved()).run;
    expect(training).toMatchObject({ batch: 4, lr: 1e-3, warmup: 1, seed: 3, floor: 0, mirror: true });
    expect(rehearsal?.part).toBe(0.25);
  });

  it("learns no faster than the model did", async () => {
    await tune({ lr: 1e-4 });
    const { out } = await tune({ from: at("own"), out: at("again") });
    expect(out).toMatch(/, rate 0\.0001 after/);
  });

  it("is as long as the new pictures want, unless it is told", async () => {
    for (const [options, steps] of [
      [{}, 300],
      [{ batch: 1, rehearse: 0.75 }, 1200],
      [{ batch: 1, rehearse: 0.95 }, 2000],
      [{ steps: 7 }, 7],
    ] as const) {
      const out = at(`long ${steps}`);
      await trained({ from, data, stopAt: 1, out, ...options });
      expect((await saved(out)).run.steps).toBe(steps);
    }
    const { out } = await trained({ from, data, minutes: 0.01, out: at("own") });
    expect(out).toMatch(/a step; rate 0\.0003 after/);
  });

  it("rehearses nothing where it is told so, or where there is nothing else to know", async () => {
    const { out } = await tune({ rehearse: 0 });
    expect(out).toMatch(/rehearses nothing of what it knows; .*\n3 pictures/);
    expect((await saved()).run).not.toHaveProperty("rehearsal");
    const { out: same } = await tune({ data: "emoji:64", out: at("same") });
    expect(same).toMatch(/: it knows all words; rehearses nothing/);
  });

  it("begins from a fine-tuned run, or its model alone, and rehearses all that it knows", async () => {
    await tune();
    await printed(() => exportRun({ run: at("own"), out: at("pets.safetensors"), type: "int8" }));
    await drawn(at("more"), { "gnu.png": 60, "red gnu.png": 90 });
    for (const second of [at("own"), at("pets.safetensors")]) {
      const { out } = await tune({ from: second, data: at("more"), out: `${second}-more` });
      expect(out).toMatch(/: 1 new word \(gnu\); rehearses .*pets, emoji:64, 1 of 2/);
      const { run } = await saved(`${second}-more`);
      expect(run.rehearsal?.sets).toEqual([{ data }, { data: "emoji:64" }]);
      // It does not learn more slowly each time.
      expect(run.training.lr).toBe(3e-4);
      expect(run.tokenizer.words.slice(-4)).toEqual(["axolotl", "ferret", "old", "gnu"]);
    }
  });

  it("goes on without rehearsal, warned, where the model's pictures are gone; asked for, that is refused", async () => {
    await tune({ rehearse: 0 });
    await printed(() => exportRun({ run: at("own"), out: at("pets.safetensors"), type: "f16" }));
    await drawn(at("more"), { "gnu.png": 60 });
    rmSync(data, { recursive: true });
    const options = { from: at("pets.safetensors"), data: at("more"), out: at("more-run") };
    await expect(tune({ ...options, rehearse: 0.3 })).rejects.toThrow(
      /--rehearse 0\.3: what the model learned, .*pets, cannot be loaded: .* Or leave --rehearse out/,
    );
    const { err, out } = await tune(options);
    expect(err).toMatch(
      /^warning: what the model learned, .*pets, cannot be loaded, so nothing keeps the model from forgetting it: /m,
    );
    expect(out).toMatch(/rehearses nothing of what it knows/);
  });

  it("warns of captions that are longer than the model reads", async () => {
    await drawn(data, { "a very old grey seal in the snow.png": 20 });
    const { err, out } = await tune();
    expect(err).toMatch(/the model reads \d words; of 1 longer text it loses: .*"snow"/);
    expect(out).not.toMatch(/snow/);
  });

  it.each<[string, TrainOptions]>([
    ["--preset tiny \\(it has another model\\)", { preset: "tiny" }],
    ["--recipe clean \\(its model or what it predicts is another\\)", { recipe: "clean" }],
    ["--window 1,1,1 \\(it has 1,2,2\\), --size 16 \\(it has 8\\)\\. Leave these out", { window: [1, 1, 1], size: 16 }],
    ["--patch 2 \\(it has 4\\)\\. Leave it out, or train from nothing", { patch: 2 }],
    ["--prediction x \\(it has flow\\)", { prediction: "x" }],
    ["--ratio 1 \\(it has 4\\)", { ratio: 1 }],
  ])("refuses by name what contradicts the model: %s", async (message, options) => {
    const failure = tune(options);
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(new RegExp(`the model of --from .*model cannot change ${message}`));
    expect(tree()).not.toContain("own");
  });

  it("refuses what is no model, and options that make no sense together", async () => {
    await expect(tune({ from: at("none") })).rejects.toThrow(
      /train: --from .*none is no run, nor a model that comes with ptdit.*\. Give a run's folder, or an exported model/,
    );
    await expect(tune({ resume: true })).rejects.toThrow(/--from .* begins a run, --resume goes on/);
    await expect(trained({ data, out: at("own"), rehearse: 0.5 })).rejects.toThrow(
      /--rehearse 0\.5 .*nothing says which\. Add --from/,
    );
    await expect(trained({ from, out: at("own") })).rejects.toThrow(/needs --data/);
  });

  it.each([
    ["emoji", "from-emoji"],
    ["runs/pets/", "from-pets"],
    ["runs/pets/checkpoint.safetensors", "from-pets"],
    ["models/my pets.safetensors", "from-my-pets"],
  ])("calls a run that begins from %s %s", (model, name) => expect(fineTuneName(model)).toBe(name));
});

describe("ptdit eval of a fine-tuned run", () => {
  const measure = async (options: object) => {
    const { out, err } = await printed(() =>
      evaluate({ run: at("own"), seed: 0, threads: 1, device: "wasm", json: true, steps: 1, guidance: 1, ...options }),
    );
    return { found: JSON.parse(out), err };
  };

  it("asks for its own pictures, or for those that it rehearses", async () => {
    await tune();
    const { found, err } = await measure({});
    expect(found).toMatchObject({ captions: 3, rehearsed: false });
    expect(err).not.toMatch(/changed/);
    expect((await measure({ rehearsed: true })).found).toMatchObject({ captions: 64, rehearsed: true });
    expect((await measure({ rehearsed: true, captions: "rich" })).found.captions).toBe(64);
    expect(JSON.parse(readFileSync(at("own", "measures.json"), "utf8")).captions).toBe(3);
    await drawn(data, { "red heart.png": 121 });
    expect((await measure({})).err).toMatch(/the data has changed since the run was saved: 1 redrawn \(red heart\.png\)/);
  });

  it("says so when it rehearses none", async () => {
    await tune({ rehearse: 0 });
    await expect(measure({ rehearsed: true })).rejects.toThrow(/the run rehearses no pictures/);
  });
});
