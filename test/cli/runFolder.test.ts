import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { identityOf } from "../../cli/processIdentity.js";
import { RunFolder } from "../../cli/runFolder.js";
import { type Holder, RunLock } from "../../cli/runLock.js";
import { ConfigError, FileError } from "../../src/base/errors.js";
import { loadCheckpoint, type RunDescription } from "../../src/node/checkpoint.js";
import { oldRun, trained } from "./inProcess.js";

const base = mkdtempSync(join(tmpdir(), "ptdit-folder-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;
let folder = "";
beforeEach(() => {
  folder = join(base, String(count++));
  mkdirSync(folder);
});
afterEach(() => vi.restoreAllMocks());
const at = (...names: string[]) => join(folder, ...names);
const tree = (path = folder): string[] => readdirSync(path, { recursive: true }).map(String).sort();

describe("the lock of a run's folder", () => {
  const path = () => at("run.lock");
  const holder = (change: Partial<Holder> = {}): void =>
    writeFileSync(
      path(),
      JSON.stringify({ pid: 1, host: hostname(), since: "2024-05-01T00:00:00Z", token: "other", ...change }),
    );

  it("says who holds it, refuses a second, and goes with its holder", async () => {
    const lock = await RunLock.take(path(), "here");
    const said = JSON.parse(readFileSync(path(), "utf8"));
    expect(said).toMatchObject({ pid: process.pid, host: hostname(), since: expect.stringMatching(/^\d{4}-.*Z$/) });
    await expect(RunLock.take(path(), "here")).rejects.toThrow(ConfigError);
    await expect(RunLock.take(path(), "here")).rejects.toThrow(
      new RegExp(
        `here is in use by process ${process.pid} on ${hostname()} since .*Wait for it or stop it, or choose another --out`,
      ),
    );
    await lock.release();
    expect(existsSync(path())).toBe(false);
  });

  it("is had by one of many who want it at once, also where an orphan lies", async () => {
    for (const orphan of [false, true]) {
      if (orphan) holder({ pid: deadPid() });
      const taken = await Promise.allSettled(Array.from({ length: 8 }, () => RunLock.take(path(), "here")));
      const won = taken.filter(({ status }) => status === "fulfilled");
      expect(won).toHaveLength(1);
      await (won[0] as PromiseFulfilledResult<RunLock>).value.release();
      expect(tree()).toEqual([]);
    }
  });

  it.each<[string, () => Promise<void> | void]>([
    ["its process has ended", () => holder({ pid: deadPid() })],
    // @source https://github.com/qTox/qTox/issues/5522
    ["another process has its number now", () => holder({ pid: process.pid, began: "boot x tick 1" })],
    [
      "another process has its number since then, on the same boot",
      async () => {
        const { began = "", space } = await identityOf(process.pid);
        holder({ pid: process.pid, began: began.replace(/\d+$/, "1"), ...(space && { space }) });
      },
    ],
    ["it was cut by a crash", () => writeFileSync(path(), "{")],
    ["it is empty", () => writeFileSync(path(), "")],
    [
      "another machine gave no sign of life for long",
      () => {
        holder({ host: "elsewhere" });
        const long = new Date(Date.now() - 3600_000);
        utimesSync(path(), long, long);
      },
    ],
  ])("is taken over when %s", async (_, make) => {
    if (process.platform !== "linux" && /number/.test(_)) return;
    await make();
    const lock = await RunLock.take(path(), "here");
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: process.pid });
    await lock.release();
    expect(tree()).toEqual([]);
  });

  it.each<[string, () => Promise<void> | void, RegExp]>([
    [
      "a process that runs",
      async () => holder({ pid: process.pid, ...(await identityOf(process.pid)) }),
      /in use by process \d+ on/,
    ],
    [
      "another machine",
      () => holder({ host: "elsewhere" }),
      /in use by process 1 on elsewhere since 2024.*If that machine is off, remove .*run\.lock/,
    ],
  ])("is not taken from %s", async (_, make, message) => {
    await make();
    await expect(RunLock.take(path(), "here")).rejects.toThrow(message);
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ token: "other" });
  });

  it.runIf(process.platform === "linux")("is not held by a child that has ended, but was not asked after", async () => {
    // The shell becomes a program that never waits for the child it had.
    const shell = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 30"]);
    const pid = await new Promise<number>((resolve) => shell.stdout.once("data", (text) => resolve(Number(text))));
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toMatch(/\) Z /), 5000);
    const { began, space } = await identityOf(pid);
    holder({ pid, ...(began && { began }), ...(space && { space }) });
    await (await RunLock.take(path(), "here")).release();
    shell.kill();
  });

  it("is made again when somebody removed it, and stops its holder when somebody took it", async () => {
    const lock = await RunLock.take(path(), "here");
    rmSync(path());
    await lock.check("here");
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: process.pid });
    holder();
    await expect(lock.check("here")).rejects.toThrow(/in use by process 1/);
    await lock.release();
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ token: "other" });
  });
});

/** The number of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

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
  const clear = async (mayGo: (run: RunDescription) => boolean = any) => {
    const held = await RunFolder.hold(folder);
    try {
      await held.clear(await held.clearable(mayGo));
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
    await clear();
    expect(tree()).toEqual([".DS_Store", "samples"]);
    await clear();
  });

  it("is cleared of what a run left that ended before it saved", async () => {
    writeFileSync(at("log.jsonl"), "");
    await clear();
    writeFileSync(at("log.jsonl"), logLine);
    files("samples/step-000250.png", "loss.png");
    await clear();
    expect(tree()).toEqual(["samples"]);
  });

  // @source https://github.com/huggingface/community-events/issues/77
  it.each<[string, () => unknown, RegExp]>([
    ["other files", () => run("notes.txt"), /holds notes\.txt; .*Choose another --out/],
    ["many other files", () => files("a", "b", "c", "d", "e"), /holds a, b, c, 2 more;/],
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
    await expect(clear()).rejects.toThrow(ConfigError);
    await expect(clear()).rejects.toThrow(message);
    expect(tree()).toEqual(before);
  });

  it("is refused with a run of another kind in it", async () => {
    oldRun(folder);
    await expect(clear((run) => run.data === "emoji")).rejects.toThrow(/holds a run of another kind, trained on emoji:64/);
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
