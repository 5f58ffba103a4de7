/** The model that comes with the package: what it draws, in the steps that it is drawn with by default. */
import { stat } from "node:fs/promises";
import { expect, it } from "vitest";
import { wasm } from "../../src/backend/wasm/device.js";
import { loadDataset } from "../../src/node/load.js";
import { loadModel, modelFile } from "../../src/node/models.js";
import { Generator } from "../../src/ptdit/generate.js";
import { judge } from "../../src/ptdit/judge.js";
import { averagedPipeline } from "../../src/ptdit/readCheckpoint.js";

it("is a file of at most 4 MB", async () => {
  const { size } = await stat(await modelFile("emoji"));
  expect(size).toBeGreaterThan(1e6);
  expect(size).toBeLessThanOrEqual(4e6);
});

it("draws the pictures that captions mean, clean, in four steps without guidance", async () => {
  const saved = await loadModel("emoji");
  const { flow, size, sampling, data: name } = saved.run;
  expect(sampling).toMatchObject({ steps: 4, guidance: 1 });
  const data = await loadDataset(name, { size, recursive: false, captions: "name" });
  const places = data.captions.flatMap((_, i) => (i % 61 === 0 ? [i] : []));
  expect(places.length).toBeGreaterThan(20);
  const device = await wasm({ threads: 1 });
  const pipeline = averagedPipeline(saved);
  const generator = new Generator(device, pipeline, flow, size, sampling);
  try {
    const { top1, psnr, speckle } = await judge(generator, pipeline, data, { seed: 0, places });
    expect(top1).toBe(1);
    expect(psnr).toBeGreaterThan(29);
    expect(speckle).toBeLessThan(2);
    // As people ask.
    const [plain, asked] = [await generator.pictures(["fox"], { seed: 1 }), await generator.pictures(["a fox"], { seed: 1 })];
    expect(asked).toEqual(plain);
  } finally {
    generator.dispose();
    device.close();
  }
});
