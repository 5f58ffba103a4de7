import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../cli/commands/eval.js";
import { showRuns } from "../../cli/commands/runs.js";
import { pictureModel } from "../../cli/training/newRun.js";
import { loadCheckpoint, saveCheckpoint } from "../../src/node/checkpoint.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import { presets } from "../../src/ptdit/presets.js";
import { at, folder, useTemporaryFolders } from "../temporaryFolder.js";
import { oldRun, printed } from "./inProcess.js";

useTemporaryFolders();

describe("ptdit runs", () => {
  it("lists what was trained, and what was measured of it", async () => {
    const path = oldRun(at("first"));
    const judging = { steps: 1, guidance: 1, seed: 0, threads: 1, device: "wasm" } as const;
    const { out: judged } = await printed(() => evaluate({ ...judging, run: path, json: true }));
    const { top1, psnr, hf, kid } = JSON.parse(judged);
    const { checkpoint } = runFiles(oldRun(at("second")));
    const { run, state } = await loadCheckpoint(checkpoint);
    const { window, proxyWindow, patch } = run.model;
    const model = pictureModel(presets.nano, run.size, { window, proxyWindow, patch });
    await saveCheckpoint(checkpoint, { run: { ...run, model, recipe: "long", steps: 0, smoothedLoss: 1 / 3 }, state });
    for (const name of ["step-000002.png", "step-000001.png", "step-000009.txt"]) {
      mkdirSync(at("second", "samples"), { recursive: true });
      writeFileSync(at("second", "samples", name), "");
    }
    mkdirSync(at("third"));
    writeFileSync(at("third", "checkpoint.safetensors"), "nonsense");

    const last = at("second", "samples", "step-000002.png");
    const listed = JSON.parse((await printed(() => showRuns(folder, { json: true }))).out);
    const own = { size: 8, data: "emoji:64", step: 2, prediction: "flow", optimizer: "adamW", saved: expect.any(String) };
    const kept = { step: 2, denoisingSteps: 1, guidance: 1, seed: 0, captions: 64, top1, psnr, hf, kid: kid.value };
    expect(Object.fromEntries(listed.map((one: { readonly name: string }) => [one.name, one]))).toMatchObject({
      first: { ...own, folder: at("first"), preset: null, recipe: null, steps: 4, measures: kept, picture: null },
      second: { ...own, preset: "nano", recipe: "long", steps: 0, smoothedLoss: 1 / 3, measures: null, picture: last },
      third: { folder: at("third"), error: expect.stringMatching(/checkpoint\.safetensors: not a safetensors file but text/) },
    });

    const lines = (await printed(() => showRuns(folder, {}))).out.trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(
      /^run +model +recipe +px +steps +loss +at step +top-1 % +PSNR +speckle +hf +seam +KID +predicts +optimiser +saved +picture$/,
    );
    const first = lines.find((line) => line.startsWith("first"))!.split(/ {2,}/);
    expect(first.slice(2, 5)).toEqual(["-", "8", "2/4"]);
    expect(first.slice(6, 9)).toEqual(["2", (100 * top1).toFixed(1), psnr.toFixed(1)]);
    const second = lines.find((line) => line.startsWith("second"))!;
    expect(second).toMatch(/^second +nano +long +8 +2\/\? +0\.3333( +-){7} +flow +adamW +\d{4}-\d\d-\d\d \d\d:\d\d {2}\//);
    expect(second.endsWith(last)).toBe(true);
    expect(lines[3]).toMatch(/^not read: third: .*checkpoint\.safetensors: not a safetensors file/);
  });

  it("says so where there are none, be the usual folder there or not", async () => {
    expect((await printed(() => showRuns(folder, {}))).out).toBe(`no runs in ${folder}; ptdit train begins one\n`);
    expect((await printed(() => showRuns(folder, { json: true }))).out).toBe("[]\n");
    await expect(showRuns(join(folder, "none"), {})).rejects.toThrow(/runs: cannot read the folder/);
    const home = process.cwd();
    try {
      process.chdir(folder);
      expect((await printed(() => showRuns(undefined, {}))).out).toBe("no runs in runs; ptdit train begins one\n");
    } finally {
      process.chdir(home);
    }
  });
});
