import { describe, expect, it, vi } from "vitest";
import { forecast } from "../../cli/training/forecast.js";
import { newRun } from "../../cli/training/newRun.js";
import { presetOfModel } from "../../cli/training/presetOfModel.js";
import { train } from "../../cli/training/train.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { loadCheckpoint, loadRunDescription } from "../../src/node/checkpoint.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import { recipeFor } from "../../src/ptdit/recipes.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { at, useTemporaryFolders } from "../temporaryFolder.js";
import { drawn, printed, trained } from "./inProcess.js";

useTemporaryFolders();

const data = "emoji:64";
const begun = async (options: Partial<Parameters<typeof newRun>[0]> = {}) =>
  (await printed(() => newRun({ data, ...options }))).result;

describe("a new run", () => {
  it("is cut twice as coarsely where pictures are large, unless told otherwise, and overlaps by half a patch", async () => {
    const cut = async (options: object) => {
      const { model, size } = (await begun(options)).run;
      return [size, model.patch, model.overlap];
    };
    expect(await cut({})).toEqual([32, 4, 2]);
    expect(await cut({ size: 48 })).toEqual([48, 4, 2]);
    expect(await cut({ size: 96 })).toEqual([96, 8, 4]);
    expect(await cut({ size: 64, patch: 4 })).toEqual([64, 4, 2]);
    expect(await cut({ size: 64, preset: "nano" })).toEqual([64, 4, 2]);
    expect(await cut({ recipe: "baseline" })).toEqual([32, 4, 0]);
  });

  it("learns and draws by its recipe; single options have the last word", async () => {
    const { run } = await begun({ optimizer: "adamW", prediction: "flow", lr: 0.01, mirror: true, shift: 2 });
    expect(run.training).toMatchObject({ optimizer: "adamW", lr: 0.01, mirror: true, shift: 2, floor: 0 });
    expect(run.flow).toEqual({ prediction: "flow", loc: 0, scale: 1, ratio: 16, sampleRatio: 16 });
    expect(run.sampling).toMatchObject({ steps: 8, guidance: 1 });
    const { run: timed } = await begun({ recipe: "long", loc: 0, scale: 1, ratio: 16, sampleRatio: 8 });
    expect(timed.flow).toEqual({ prediction: "x", loc: 0, scale: 1, ratio: 16, sampleRatio: 8 });
    const { run: former } = await begun({ recipe: "baseline" });
    expect([former.training.optimizer, former.flow.prediction, former.sampling?.guidance]).toEqual(["adamW", "flow", 3]);
  });

  it("takes the recipe for as many pictures where nobody says which, says so, and keeps its name", async () => {
    const chosen = async (options: object) => {
      const { result, out } = await printed(() => newRun({ data, ...options }));
      return [out, result.run.recipe, result.run.model.pooledHidden, result.run.training.weightDecay];
    };
    expect(await chosen({})).toEqual(["64 pictures: recipe clean\n", "clean", 0, 0]);
    expect(await chosen({ data: "emoji:core" })).toEqual(["1,352 pictures: recipe long\n", "long", 512, 0.5]);
    expect(await chosen({ data: "emoji:core", recipe: "clean" })).toEqual(["", "clean", 0, 0]);
    expect(await chosen({ recipe: "long", weightDecay: 0.1 })).toEqual(["", "long", 512, 0.1]);
    expect([1, 999, 1000, 3000].map(recipeFor)).toEqual(["clean", "clean", "long", "long"]);
  });

  it("says so where the usual steps are too few for so many pictures, unless somebody has said how long", async () => {
    const note = async (options: object) => (await printed(() => newRun({ data: "emoji:core", ...options }))).err;
    expect(await note({})).toBe(
      "note: 2000 steps see each picture 24 times, and the recipe long takes about 350: --steps 29600.\n",
    );
    expect(await note({ recipe: "clean", batch: 8 })).toMatch(
      /^note: 2000 steps see each picture 12 times, .* 100: --steps 16900\.$/m,
    );
    for (const said of [{ steps: 2000 }, { minutes: 3 }, { data }, { recipe: "clean", batch: 64 }])
      expect(await note(said)).toBe("");
  });

  it("mixes its tokens as it is asked to, and is of its preset still", async () => {
    const mixed = async (options: object) => (await begun(options)).run.model;
    expect((await mixed({})).mixing).toBe("proxy");
    const full = await mixed({ mixing: "full", size: 64, patch: 4, window: [1, 4, 4] });
    expect(full).toMatchObject({ mixing: "full", window: [1, 4, 4], proxyWindow: [1, 4, 4], patch: 4, overlap: 2 });
    expect(presetOfModel(full, 64)).toBe("nano");
  });

  it("is told how long it will take where a device can tell", async () => {
    const { run, data: pictures } = await begun({ size: 16, batch: 2 });
    const device = await wasm({ threads: 1 });
    const { model, flow, training } = run;
    const trainer = new Trainer(device, pictures, Tokenizer.fromJSON(run.tokenizer), { model, flow, training });
    expect(forecast(trainer, 100)).toMatch(/^\d+\.\d G multiply-adds a step, about \d+:\d\d for 100 steps here$/);
    trainer.dispose();
    device.close();
  });
});

describe("ptdit train", () => {
  const folder = async () => {
    await drawn(at("own"), { "red apple.png": 200, "old cat.png": 30, "blue car.png": 120 });
    return at("own");
  };

  it("says what it trains, and how long that will take, before the first step", async () => {
    const said: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line));
    const next = vi.spyOn(Trainer.prototype, "next").mockRejectedValue(new Error("no step today"));
    try {
      const options = { data: await folder(), size: 16, batch: 1, steps: 100, threads: 1, out: at("run") };
      await expect(train(options)).rejects.toThrow("no step today");
    } finally {
      log.mockRestore();
      next.mockRestore();
    }
    expect(said).toEqual([
      "3 pictures: recipe clean",
      expect.stringMatching(/^3 pictures of 16 px, [\d,]+ parameters, batch 1; memory: /),
      expect.stringMatching(/^\d+\.\d G multiply-adds a step, about \d+:\d\d for 100 steps here$/),
    ]);
  });

  it("keeps the name of the recipe in the run, through a resumption", async () => {
    const recipe = async () => (await loadRunDescription(runFiles(at("run")).checkpoint)).recipe;
    const own = { out: at("run"), data: await folder(), steps: 3 };
    await trained({ ...own, size: 16, batch: 1, recipe: "long", stopAt: 1 });
    expect(await recipe()).toBe("long");
    await trained({ ...own, resume: true, stopAt: 2 });
    expect(await recipe()).toBe("long");
  });

  it.each([48, 64, 96])("takes steps of pictures of %s px", async (size) => {
    await trained({ out: at("run"), data: await folder(), size, batch: 1, steps: 2, stopAt: 1 });
    const { run, state } = await loadCheckpoint(runFiles(at("run")).checkpoint);
    expect(run).toMatchObject({ size, step: 1, smoothedLoss: expect.any(Number) });
    expect([...state.values()].every(({ data: numbers }) => numbers.every(Number.isFinite))).toBe(true);
  });
});
