import { chmodSync, cpSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, FileError } from "../../../src/base/errors.js";
import { listRuns } from "../../../src/node/run/listRuns.js";
import { loadMeasures, type RunMeasures, saveMeasures } from "../../../src/node/run/measures.js";
import { runFiles } from "../../../src/node/run/runFiles.js";
import { root } from "../../cli/command.js";
import { at, folder, tree, useTemporaryFolders } from "../../temporaryFolder.js";

useTemporaryFolders();

/** A run at step 2 of 4, saved on this day of a month. */
function run(day: number, ...names: string[]): string {
  mkdirSync(at(...names), { recursive: true });
  const { checkpoint } = runFiles(at(...names));
  cpSync(join(root, "test/fixtures/runs/format-1/checkpoint.safetensors"), checkpoint);
  const saved = new Date(Date.UTC(2026, 0, day));
  utimesSync(checkpoint, saved, saved);
  return checkpoint;
}
const measures: RunMeasures = {
  ...{ step: 2, denoisingSteps: 30, guidance: 3, seed: 0, captions: 64, top1: 0.5, top5: 1 },
  ...{ measured: 64, psnr: 20.5, speckle: 6, hf: 3, seam: null },
};

describe("the runs below a folder", () => {
  it("are told by their checkpoints, the last saved first; what is no run is not among them", async () => {
    run(1, "old");
    run(3, "deep", "er", "new");
    run(2, "with measures");
    await saveMeasures(runFiles(at("with measures")).measures, measures);
    // Inside a run nothing is looked for.
    run(4, "old", "samples");
    run(5, ".hidden");
    run(6, "node_modules", "package");
    mkdirSync(at("pictures"));
    writeFileSync(at("pictures", "log.jsonl"), "");
    mkdirSync(at("named", "checkpoint.safetensors"), { recursive: true });
    const found = await listRuns(folder);
    expect(found.map(({ name }) => name)).toEqual(["deep/er/new", "with measures", "old"]);
    expect(found[0]).toMatchObject({
      folder: at("deep/er/new"),
      saved: new Date(Date.UTC(2026, 0, 3)),
      run: { step: 2, steps: 4 },
    });
    expect(found[0]).not.toHaveProperty("measures");
    expect(found[1]).toMatchObject({ measures });
  });

  it("are one where the folder is a run itself", async () => {
    run(1, "alone");
    expect(await listRuns(at("alone"))).toMatchObject([{ name: "alone", folder: at("alone"), run: { data: "emoji:64" } }]);
    expect(await listRuns(at("alone/"))).toMatchObject([{ name: "alone" }]);
  });

  it("are each told once, by their own names, whatever links lead to them, and back", async () => {
    run(1, "run");
    symlinkSync("run", at("latest"));
    symlinkSync("..", at("run", "back"));
    symlinkSync(".", at("again"));
    symlinkSync("nowhere", at("lost"));
    expect(await listRuns(folder)).toMatchObject([{ name: "run" }]);
    mkdirSync(at("view"));
    symlinkSync("../run", at("view", "best"));
    expect(await listRuns(at("view"))).toMatchObject([{ name: "best" }]);
  });

  it("are named with why where they cannot be read, after the others", async () => {
    run(1, "whole");
    truncateSync(run(2, "cut"), 5000);
    mkdirSync(at("other"));
    writeFileSync(at("other", "checkpoint.safetensors"), "nonsense");
    const found = await listRuns(folder);
    expect(found.map(({ name }) => name)).toEqual(["whole", "cut", "other"]);
    for (const one of found.slice(1)) expect(one).toMatchObject({ error: expect.stringMatching(/checkpoint\.safetensors/) });
  });

  it.skipIf(process.getuid?.() === 0)("are named with why where a folder cannot be read", async () => {
    mkdirSync(at("closed"));
    chmodSync(at("closed"), 0);
    expect(await listRuns(folder)).toMatchObject([{ name: "closed", error: "the folder cannot be read (EACCES)" }]);
    chmodSync(at("closed"), 0o700);
  });

  it("are none in an empty folder; one that is not there is an error", async () => {
    expect(await listRuns(folder)).toEqual([]);
    await expect(listRuns(at("none"))).rejects.toThrow(ConfigError);
    await expect(listRuns(at("none"))).rejects.toThrow(/cannot read the folder .*none \(ENOENT\)\. Give a folder/);
  });
});

describe("the measures of a run", () => {
  it("are read as they were kept, and replaced", async () => {
    const path = at("measures.json");
    expect(await loadMeasures(path)).toBeUndefined();
    for (const step of [2, 4]) {
      await saveMeasures(path, { ...measures, step });
      expect(await loadMeasures(path)).toEqual({ ...measures, step });
      await saveMeasures(path, { ...measures, step, kid: 0.012 });
      expect(await loadMeasures(path)).toEqual({ ...measures, step, kid: 0.012 });
    }
  });

  it("are not another program's file, which is not replaced", async () => {
    const path = at("measures.json");
    for (const text of ['{"metres": 3}', '{"step": 1}', '{"step":"one"}', "null", "{"]) {
      writeFileSync(path, text);
      expect(await loadMeasures(path), text).toBeUndefined();
    }
    await expect(saveMeasures(path, measures)).rejects.toThrow(FileError);
    await expect(saveMeasures(path, measures)).rejects.toThrow(/is no measures of a run: it is not replaced/);
    expect(tree()).toEqual(["measures.json"]);
  });
});
