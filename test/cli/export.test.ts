import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { exportRun } from "../../cli/commands/export.js";
import { sample } from "../../cli/commands/sample.js";
import { ConfigError, FileError } from "../../src/base/errors.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { loadCheckpoint } from "../../src/node/checkpoint.js";
import { at, useTemporaryFolders } from "../temporaryFolder.js";
import { drawn, oldRun, printed, trained } from "./inProcess.js";

useTemporaryFolders();
let run = "";
beforeEach(() => {
  run = oldRun(at("run"));
});

describe("ptdit export", () => {
  it.each([
    ["f32", ["F32"], /as f32, as they were$/m],
    ["f16", ["F16"], /as f16, off by 0\.0\d+ % \(root of squares\)$/m],
    ["int8", ["F16", "F32", "I8"], /as int8, off by 0\.\d+ % \(root of squares\)$/m],
  ] as const)("writes the averaged weights as %s, makes their folder, and says what that costs", async (type, dtypes, said) => {
    const out = at("models", "own.safetensors");
    const { out: text } = await printed(() => exportRun({ run, out, type }));
    expect(text).toMatch(said);
    expect(text).toMatch(/own\.safetensors: 0\.\d MB, [\d,]+ weights/);
    const { tensors, metadata } = readSafetensors(readFileSync(out), out);
    expect(metadata).toMatchObject({ format: "ptdit-checkpoint-2", weights: type });
    expect([...tensors.keys()].every((name) => name.startsWith("average."))).toBe(true);
    expect([...new Set([...tensors.values()].map(({ dtype }) => dtype))].sort()).toEqual(dtypes);
    expect((await loadCheckpoint(out)).run).toEqual((await loadCheckpoint(join(run, "checkpoint.safetensors"))).run);
  });

  it("gives a file that is drawn from as its run is", async () => {
    const drawing = { prompt: ["red heart"], negative: "", steps: 2, guidance: 1, seed: 0, count: 1, threads: 1 } as const;
    const draw = (run: string, out: string) =>
      printed(() => sample({ ...drawing, prompt: [...drawing.prompt], run, out, device: "wasm" }));
    await printed(() => exportRun({ run, out: at("own.safetensors"), type: "f32" }));
    await draw(run, at("a.png"));
    await draw(at("own.safetensors"), at("b.png"));
    expect(readFileSync(at("b.png")).equals(readFileSync(at("a.png")))).toBe(true);
  });

  it("replaces an exported model, and nothing else", async () => {
    const out = at("own.safetensors");
    writeFileSync(out, "");
    for (const type of ["f16", "f32"] as const) await printed(() => exportRun({ run, out, type }));
    const { size } = statSync(out);
    const checkpoint = join(run, "checkpoint.safetensors");
    const before = readFileSync(checkpoint);
    copyFileSync(checkpoint, at("copy.safetensors"));
    writeFileSync(at("notes.txt"), "mine");
    for (const path of [checkpoint, at("copy.safetensors"), at("notes.txt")])
      await expect(exportRun({ run: out, out: path, type: "f16" })).rejects.toThrow(/is no exported model: it is not replaced/);
    expect(readFileSync(checkpoint).equals(before)).toBe(true);
    expect(readFileSync(at("notes.txt"), "utf8")).toBe("mine");
    expect(statSync(out).size).toBe(size);
  });

  it("says what the file tells of a person's own pictures", async () => {
    const { err: nothing } = await printed(() => exportRun({ run, out: at("own.safetensors"), type: "f16" }));
    expect(nothing).toBe("");
    const data = at("pictures");
    await drawn(data, { "old cat.png": 20, "red house.png": 200 });
    const out = at("own run");
    await trained({ data, out, size: 8, batch: 1, steps: 1 });
    const { err } = await printed(() => exportRun({ run: out, out: at("other.safetensors"), type: "f16" }));
    expect(err).toBe(
      `note: the file tells the folder it learned from, ${data}, the names of its 2 pictures and the 4 words of their captions.\n`,
    );
  });

  it("refuses what is no run, and a folder to write to", async () => {
    await expect(exportRun({ run: at("none"), out: at("own.safetensors"), type: "f16" })).rejects.toThrow(ConfigError);
    expect(existsSync(at("own.safetensors"))).toBe(false);
    mkdirSync(at("place"));
    await expect(exportRun({ run, out: at("place"), type: "f16" })).rejects.toThrow(FileError);
  });
});
