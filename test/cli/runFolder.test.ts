import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { clear, clearable, holdFolder } from "../../cli/training/runFolder.js";
import { ConfigError, FileError } from "../../src/base/errors.js";
import { loadCheckpoint, type RunDescription } from "../../src/node/checkpoint.js";
import { logTableHead } from "../../src/ptdit/session/logTable.js";
import { at, base, folder, tree, useTemporaryFolders } from "../temporaryFolder.js";
import { oldRun, trained } from "./inProcess.js";

useTemporaryFolders();
afterEach(() => vi.restoreAllMocks());

describe("a folder for a run", () => {
  /** Writes files of somebody's; returns nothing. */
  const files = (...names: string[]): "" => {
    for (const name of names) {
      mkdirSync(join(at(name), ".."), { recursive: true });
      writeFileSync(at(name), "mine");
    }
    return "";
  };
  /** A run with somebody's files in its folder. */
  const run = (...names: string[]) => files(...names) + oldRun(folder);
  const logLine = `${JSON.stringify({ step: 10, loss: 1, smoothedLoss: 1 })}\n`;
  const any = () => true;
  const cleared = async (mayGo: (run: RunDescription) => boolean = any) => {
    const held = await holdFolder(folder);
    try {
      await clear(await clearable(folder, mayGo));
    } finally {
      await held.release();
    }
  };

  it("is cleared of a run's own files, one by one, and of nothing else", async () => {
    oldRun(folder);
    files(
      "log.jsonl",
      "loss.png",
      "sample.png",
      "all-captions.png",
      "samples/step-000250.png",
      ".checkpoint.safetensors.partial",
    );
    files("samples/.step-000500.png.partial", ".DS_Store");
    writeFileSync(at("measures.json"), '{"step":2}');
    await cleared();
    expect(tree()).toEqual([".DS_Store", "samples"]);
    await cleared();
  });

  it("is cleared of what a run left that ended before it saved", async () => {
    writeFileSync(at("log.jsonl"), "");
    await cleared();
    writeFileSync(at("log.jsonl"), "");
    writeFileSync(at("log.csv"), logTableHead);
    await cleared();
    expect(tree()).toEqual([]);
    writeFileSync(at("log.jsonl"), logLine);
    files("samples/step-000250.png", "loss.png");
    await cleared();
    expect(tree()).toEqual(["samples"]);
  });

  // @source https://github.com/huggingface/community-events/issues/77
  it.each<[string, () => unknown, RegExp]>([
    ["other files", () => run("notes.txt"), /holds notes\.txt; .*Choose another --out/],
    ["many other files", () => files("a", "b", "c", "d", "e"), /holds a, b, c, 2 more;/],
    ["a table and measures of others", () => run("log.csv", "measures.json"), /holds log\.csv, measures\.json/],
    ["hidden files", () => run(".git/HEAD"), /holds \.git;/],
    ["a folder of pictures named as ours", () => run("samples/holiday.png"), /holds samples\/holiday\.png/],
    ["a folder named as a file of ours", () => files("loss.png/mine"), /holds loss\.png/],
    [
      "pictures named as ours, but no run",
      () => files("loss.png", "sample.png"),
      /holds loss\.png, sample\.png, but was never a run/,
    ],
    ["an empty log, and pictures", () => writeFileSync(at("log.jsonl"), files("loss.png")), /but was never a run/],
    ["the log of another program", () => writeFileSync(at("log.jsonl"), '{"step": 1, "loss": 2}\n'), /but was never a run/],
    [
      "another program's checkpoint",
      () => files("checkpoint.safetensors"),
      /a checkpoint that is damaged or another program's/,
    ],
    ["a link", () => symlinkSync(join(base, "elsewhere"), at("checkpoint.safetensors")), /holds checkpoint\.safetensors/],
  ])("is refused with %s in it, and keeps it", async (_, make, message) => {
    make();
    const before = tree();
    await expect(cleared()).rejects.toThrow(ConfigError);
    await expect(cleared()).rejects.toThrow(message);
    expect(tree()).toEqual(before);
  });

  it("is refused with a run of another kind in it", async () => {
    oldRun(folder);
    await expect(cleared((run) => run.data === "emoji")).rejects.toThrow(/holds a run of another kind, trained on emoji:64/);
    expect(tree()).toEqual(["checkpoint.safetensors"]);
  });

  it("that quickstart replaces keeps its run when the new one cannot begin", async () => {
    oldRun(folder);
    const failure = trained({ data: join(base, "no pictures"), out: folder }, any);
    await expect(failure).rejects.toThrow(/no pictures/);
    expect(tree()).toEqual(["checkpoint.safetensors"]);
  });

  it("may hold other files for a new run, but none that it would overwrite", async () => {
    const options = { data: "emoji:64", preset: "tiny", size: 8, batch: 1, steps: 1, out: folder } as const;
    files("notes.txt", "loss.png");
    await expect(trained(options)).rejects.toThrow(/is no run, but holds loss\.png, which a new run would overwrite\. Move it/);
    expect(tree()).toEqual(["loss.png", "notes.txt"]);
    rmSync(at("loss.png"));
    await trained(options);
    expect(tree()).toContain("notes.txt");
    expect(tree()).not.toContain("run.lock");
    await expect(trained(options)).rejects.toThrow(/already holds a run\. Add --resume/);
  });

  it("is not left behind by a run that could not begin", async () => {
    const out = at("made", "for", "it");
    await expect(trained({ data: join(base, "none"), out })).rejects.toThrow(/none/);
    expect(tree()).toEqual([]);
    await expect(trained({ data: "emoji:64", out, resume: true })).rejects.toThrow(/no run to resume/);
    expect(tree()).toEqual([]);
    oldRun(folder);
    const file = at("checkpoint.safetensors");
    await expect(trained({ out: file, resume: true })).rejects.toThrow(/It is a file: give its folder, --out/);
  });

  it.each<[string, () => string, RegExp]>([
    ["a file", () => files("f") + at("f"), /\/f: it is no folder/],
    ["below a file", () => files("f") + at("f", "x"), /\/f is no folder/],
    ["below a device", () => "/dev/null/x", /\/dev\/null is no folder/],
    ["where nothing can be made", () => (existsSync("/proc/self") ? "/proc/x" : "/dev/null/y"), /no folder/],
    ["nothing", () => "", /name is empty/],
  ])("on %s is one clear line", async (_, make, message) => {
    const failure = trained({ data: "emoji:64", out: make() });
    await expect(failure).rejects.toThrow(FileError);
    await expect(failure).rejects.toThrow(message);
  });

  it("has a checkpoint that stays the link it is", async () => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    const run = at("run");
    oldRun(disk);
    mkdirSync(run);
    symlinkSync("../disk/checkpoint.safetensors", join(run, "checkpoint.safetensors"));
    await trained({ out: run, resume: true, stopAt: 3 });
    expect(lstatSync(join(run, "checkpoint.safetensors")).isSymbolicLink()).toBe(true);
    expect((await loadCheckpoint(join(disk, "checkpoint.safetensors"))).run.step).toBe(3);
    expect(readdirSync(disk)).toEqual(["checkpoint.safetensors"]);
  });
});
