import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { evaluate } from "../../cli/commands/eval.js";
import { exportRun } from "../../cli/commands/export.js";
import { sample } from "../../cli/commands/sample.js";
import { loadCheckpoint, saveCheckpoint } from "../../src/node/checkpoint.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import { averageEntries, horizonPart } from "../../src/ptdit/readCheckpoint.js";
import { at, useTemporaryFolders } from "../temporaryFolder.js";
import { oldRun, printed } from "./inProcess.js";

useTemporaryFolders();
const where = { threads: 1, device: "wasm", seed: 0 } as const;
const drawing = { ...where, steps: 1, guidance: 1 } as const;
/** A run whose average of horizon 0.1 is another than its usual one; `same`: it is that one. */
let [run, same] = ["", ""];
beforeEach(async () => {
  const made = async (name: string, factor: number) => {
    const folder = oldRun(at(name));
    const { checkpoint } = runFiles(folder);
    const { run: described, state } = await loadCheckpoint(checkpoint);
    const wide = [...averageEntries(state, undefined)].map(([own, { shape, data }]) => {
      return [`${horizonPart(0.1)}.${own}`, { shape, data: Float32Array.from(data, (x) => factor * x) }] as const;
    });
    const training = { ...described.training, horizons: [0.1] };
    await saveCheckpoint(checkpoint, { run: { ...described, training }, state: new Map([...state, ...wide]) });
    return folder;
  };
  [run, same] = [await made("run", 2), await made("same", 1)];
});

const judged = async (own: string, horizon?: number) => {
  const asked = { ...drawing, run: own, json: true as const, ...(horizon !== undefined && { horizon }) };
  const { psnr, lossByTimestep } = JSON.parse((await printed(() => evaluate(asked))).out);
  return { psnr, lossByTimestep };
};
const picture = async (own: string, out: string, horizon?: number) => {
  const asked = { ...drawing, run: own, prompt: ["red heart"], negative: "", count: 1, out: at(out) };
  await printed(() => sample({ ...asked, ...(horizon !== undefined && { horizon }) }));
  return readFileSync(at(out)).toString("base64");
};

describe("--horizon", () => {
  it("of eval and sample is the average that is so wide", async () => {
    const [usual, wide] = [await judged(run), await judged(run, 0.1)];
    expect(wide).not.toEqual(usual);
    expect(await judged(same, 0.1)).toEqual(usual);
    const [plain, other] = [await picture(run, "plain.png"), await picture(run, "wide.png", 0.1)];
    expect(other).not.toBe(plain);
    expect(await picture(same, "same.png", 0.1)).toBe(plain);
  });

  it("of export is what the file holds alone", async () => {
    const out = at("wide.safetensors");
    await printed(() => exportRun({ run, out, type: "f32", horizon: 0.1 }));
    expect(await judged(out)).toEqual(await judged(run, 0.1));
    const { state } = await loadCheckpoint(out);
    const { state: whole } = await loadCheckpoint(runFiles(run).checkpoint);
    expect(averageEntries(state, undefined)).toEqual(averageEntries(whole, 0.1));
    expect([...state.keys()].every((name) => name.startsWith("average."))).toBe(true);
    await expect(judged(out, 0.1)).rejects.toThrow("no average of horizon 0.1, but none");
  });

  it("that the run has not is refused, with those that it has", async () => {
    await expect(judged(run, 0.2)).rejects.toThrow("no average of horizon 0.2, but 0.1");
    await expect(picture(run, "none.png", 0.2)).rejects.toThrow("no average of horizon 0.2, but 0.1");
    await expect(exportRun({ run, out: at("none.safetensors"), type: "f16", horizon: 0.2 })).rejects.toThrow(
      /no average of horizon 0\.2 .* horizons are 0\.1/,
    );
  });
});
