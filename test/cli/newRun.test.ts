import { describe, expect, it } from "vitest";
import { forecast } from "../../cli/training/forecast.js";
import { newRun } from "../../cli/training/newRun.js";
import { presetOfModel } from "../../cli/training/presetOfModel.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { Trainer } from "../../src/ptdit/trainer.js";

const data = "emoji:64";

describe("a new run", () => {
  it("is cut twice as coarsely where pictures are large, unless told otherwise, and overlaps by half a patch", async () => {
    const cut = async (options: object) => {
      const { model, size } = (await newRun({ data, ...options })).run;
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
    const { run } = await newRun({ data, optimizer: "adamW", prediction: "flow", lr: 0.01, mirror: true, shift: 2 });
    expect(run.training).toMatchObject({ optimizer: "adamW", lr: 0.01, mirror: true, shift: 2, floor: 0 });
    expect(run.flow).toEqual({ prediction: "flow", loc: 0, scale: 1, ratio: 16, sampleRatio: 16 });
    expect(run.sampling).toMatchObject({ steps: 8, guidance: 1 });
    const { run: former } = await newRun({ data, recipe: "baseline" });
    expect([former.training.optimizer, former.flow.prediction, former.sampling?.guidance]).toEqual(["adamW", "flow", 3]);
  });

  it("mixes its tokens as it is asked to, and is of its preset still", async () => {
    const mixed = async (options: object) => (await newRun({ data, ...options })).run.model;
    expect((await mixed({})).mixing).toBe("proxy");
    const full = await mixed({ mixing: "full", size: 64, patch: 4, window: [1, 4, 4] });
    expect(full).toMatchObject({ mixing: "full", window: [1, 4, 4], proxyWindow: [1, 4, 4], patch: 4, overlap: 2 });
    expect(presetOfModel(full, 64)).toBe("nano");
  });

  it("is told how long it will take where a device can tell", async () => {
    const { run, data: pictures } = await newRun({ data, size: 16, batch: 2 });
    const device = await wasm({ threads: 1 });
    const { model, flow, training } = run;
    const trainer = new Trainer(device, pictures, Tokenizer.fromJSON(run.tokenizer), { model, flow, training });
    expect(forecast(trainer, 100)).toMatch(/^\d+\.\d G multiply-adds a step, about \d+:\d\d for 100 steps here$/);
    trainer.dispose();
    device.close();
  });
});
