import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../cli/commands/eval.js";
import { runSweep } from "../../cli/commands/sweep.js";
import { loadCheckpoint, loadRunDescription, saveModel } from "../../src/node/checkpoint.js";
import { folderStore } from "../../src/node/run/folderStore.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import { type SamplingConfig, samplingConfig } from "../../src/ptdit/sampling.js";
import { at, useTemporaryFolders } from "../temporaryFolder.js";
import { oldRun, printed } from "./inProcess.js";

useTemporaryFolders();

/** A checkpoint as its file holds it. */
function parts(path: string) {
  const bytes = readFileSync(path);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.subarray(8, begin).toString());
  return { metadata, tensors, data: bytes.subarray(begin) };
}

const where = { seed: 0, threads: 1, device: "wasm" } as const;
const few = { ...where, solvers: ["euler" as const, "heun" as const], steps: [1, 2], guidance: [1], captions: 4 };

describe("ptdit sweep", () => {
  it("prints ways from the best on, with what they cost, and leaves the run as it was", async () => {
    const run = oldRun(at("run"));
    const { checkpoint } = runFiles(run);
    const before = readFileSync(checkpoint);
    const csv = at("sweep.csv");
    const { out } = await printed(() => runSweep({ ...few, run, csv }));
    const lines = out.trim().split("\n");
    expect(lines[0]).toMatch(/^solver +steps +guidance +at noise +predictions +top-1 % +top-5 % +PSNR +hf +KID$/);
    // One step of Heun's is one of Euler's.
    expect(lines).toHaveLength(1 + 3 + 1);
    expect(
      lines
        .slice(1, 4)
        .map((line) => line.split(/ +/).slice(0, 5).join(" "))
        .sort(),
    ).toEqual(["euler 1 1 - 1", "euler 2 1 - 2", "heun 2 1 - 3"]);
    expect(lines[4]).toBe(
      "4 captions of 64; the best comes first: by top-1, then PSNR to a tenth of a dB, then the fewest predictions",
    );
    const table = readFileSync(csv, "utf8").split("\n");
    expect(table[0]).toBe("solver,steps,guidance,from,to,cfgZero,predictions,captions,top1,top5,psnr,speckle,hf,seam,kid");
    expect(table).toHaveLength(5);
    const [inFile, onScreen] = [table[1].split(","), lines[1].split(/ +/)];
    expect(inFile.slice(0, 2)).toEqual(onScreen.slice(0, 2));
    expect(Number(inFile.at(-1)).toFixed(3)).toBe(onScreen.at(-1));
    expect(readFileSync(checkpoint).equals(before)).toBe(true);
    expect(readdirSync(run)).toEqual(["checkpoint.safetensors"]);
  });

  it("is an evaluation for each way", async () => {
    const run = oldRun(at("run"));
    const one = { ...where, guidance: [2], intervals: [[0, 0.9] as [number, number]] };
    const { out } = await printed(() => runSweep({ ...one, run, solvers: ["ab2"], steps: [2], captions: 64, json: true }));
    const { best, rows, ...rest } = JSON.parse(out);
    expect(rest).toMatchObject({ step: 2, captions: 64, seed: 0, rule: expect.stringMatching(/^top-1, then PSNR/) });
    expect(rows).toEqual([best]);
    const how = { steps: 2, guidance: 2, guidanceInterval: [0, 0.9] as [number, number], method: "ab2" as const };
    const judged = JSON.parse((await printed(() => evaluate({ ...where, ...how, run, json: true }))).out);
    const { top1, top5, psnr, speckle, hf, seam, kid } = judged;
    expect(best).toEqual({ ...how, cfgZero: false, predictions: 3, top1, top5, psnr, speckle, hf, seam, kid });
    expect(kid.pairs).toBe(64);
  });

  it("tries guided ways by CFG-Zero* too where asked", async () => {
    const run = oldRun(at("run"));
    const guided = {
      ...where,
      run,
      solvers: ["euler" as const],
      steps: [2],
      guidance: [1, 2],
      captions: 2,
      cfgZero: true as const,
    };
    const { rows } = JSON.parse((await printed(() => runSweep({ ...guided, json: true }))).out);
    const ways = rows.map(({ guidance, cfgZero }: SamplingConfig) => `${guidance} ${cfgZero}`);
    expect(ways.sort()).toEqual(["1 false", "2 false", "2 true"]);
    const [plain, zero] = [false, true].map((is) =>
      rows.find(({ guidance, cfgZero }: SamplingConfig) => guidance === 2 && cfgZero === is),
    );
    expect(zero.psnr).not.toBe(plain.psnr);
    // Of two samples there is no kernel distance.
    expect(zero.kid).toBe(null);
    const { out } = await printed(() => runSweep(guided));
    expect(out).toMatch(/^euler +2 +CFG-Zero\* 2 +0 to 1 +4 .* -$/m);
  });

  it("keeps the best in the checkpoint, and changes nothing else of it", async () => {
    const run = oldRun(at("run"));
    const { checkpoint } = runFiles(run);
    const saved = await loadCheckpoint(checkpoint);
    const before = parts(checkpoint);
    const { out } = await printed(() => runSweep({ ...few, run, keep: true, json: true }));
    const { method, steps, guidance, guidanceInterval } = JSON.parse(out).best;
    const sampling = samplingConfig({ method, steps, guidance, guidanceInterval });
    const after = parts(checkpoint);
    expect(after.data.equals(before.data)).toBe(true);
    const { run: described, ...format } = before.metadata;
    expect(after).toMatchObject({ tensors: before.tensors, metadata: format });
    expect(JSON.parse(after.metadata.run)).toEqual({ ...JSON.parse(described), sampling });
    expect((await loadCheckpoint(checkpoint)).run).toEqual({ ...saved.run, sampling });
    expect(readdirSync(run)).toEqual(["checkpoint.safetensors"]);
    const judged = await printed(() => evaluate({ ...where, run, json: true }));
    const kept = JSON.parse(readFileSync(runFiles(run).measures, "utf8"));
    expect(kept).toMatchObject({ denoisingSteps: steps, guidance, psnr: JSON.parse(judged.out).psnr });
  });

  it("keeps it in an exported model too, whatever its weights are kept as", async () => {
    const saved = await loadCheckpoint(runFiles(oldRun(at("run"))).checkpoint);
    for (const type of ["f16", "int8"] as const) {
      const path = at(`${type}.safetensors`);
      await saveModel(path, saved, { type });
      const before = parts(path);
      await printed(() => runSweep({ ...few, run: path, steps: [2], keep: true, json: true }));
      expect(parts(path).data.equals(before.data)).toBe(true);
      expect((await loadRunDescription(path)).sampling).toMatchObject({ steps: 2 });
    }
  });

  it("refuses before it measures: a run that is being trained, a table that is none", async () => {
    const run = oldRun(at("run"));
    const store = await folderStore(run);
    await expect(runSweep({ ...few, run, keep: true })).rejects.toThrow(/in use/);
    await store.release();
    writeFileSync(at("notes.csv"), "mine");
    await expect(runSweep({ ...few, run, csv: at("notes.csv") })).rejects.toThrow(/is no table of a sweep: it is not replaced/);
    await expect(runSweep({ ...few, run: at("none"), keep: true })).rejects.toThrow(/cannot read .*ENOENT/);
    expect(existsSync(join(at("none")))).toBe(false);
  });
});
