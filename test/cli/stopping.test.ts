import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { evaluate } from "../../cli/commands/eval.js";
import { quickstart } from "../../cli/commands/quickstart.js";
import { quoted } from "../../cli/shell.js";
import * as training from "../../cli/training/train.js";
import { loadRunDescription } from "../../src/node/checkpoint.js";
import { ptdit, root } from "./command.js";
import { drawn, oldRun, trained } from "./inProcess.js";

vi.mock("../../cli/commands/eval.js", () => ({ evaluate: vi.fn() }));

const base = mkdtempSync(join(tmpdir(), "ptdit-stop-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;
let out = "";
beforeEach(() => {
  out = join(base, String(count++));
});
const endless = [
  "--data",
  "emoji:64",
  "--preset",
  "tiny",
  "--size",
  "8",
  "--batch",
  "1",
  "--threads",
  "1",
  "--steps",
  "1000000",
];

/** Calls `then` once a run has taken some steps: it has logged them. */
function whenUnderWay(child: ChildProcess, then: (child: ChildProcess) => void): void {
  const watch = setInterval(() => {
    const log = join(out, "log.jsonl");
    if (!existsSync(log) || readFileSync(log, "utf8") === "") return;
    clearInterval(watch);
    then(child);
  }, 20);
  child.on("exit", () => clearInterval(watch));
}

/** Trains without end until `then` ends it. */
const train = (then: (child: ChildProcess) => void) =>
  ptdit(["train", ...endless, "--out", out, "--save-every", "1000000", "--sample-every", "1000000"], {
    begun: (child) => whenUnderWay(child, then),
  });

describe("a training that is asked to stop", () => {
  it.each<[string, NodeJS.Signals[]]>([
    ["SIGHUP, as a terminal that is closed sends it, by the shell and by the system", ["SIGHUP", "SIGHUP"]],
    ["SIGTERM", ["SIGTERM"]],
    // @source https://github.com/npm/cli/issues/5021
    ["one Ctrl-C, which npm passes on a second time", ["SIGINT", "SIGINT"]],
  ])("saves, says how to go on, and gives its folder up: by %s", async (_, signals) => {
    const { code, out: said } = await train((child) => signals.forEach((signal) => child.kill(signal)));
    expect(code).toBe(0);
    const step = Number(/stopped at step (\d+)\. Go on with: ptdit train .*--resume/.exec(said)?.[1]);
    expect(await loadRunDescription(join(out, "checkpoint.safetensors"))).toMatchObject({ step, steps: 1_000_000 });
    expect(readdirSync(out).sort()).toEqual(["checkpoint.safetensors", "log.jsonl"]);
  });

  it("is not disturbed by a second trainer, which is told who is there; a killed one's folder is taken over", async () => {
    let second: Promise<Awaited<ReturnType<typeof ptdit>>[]> | undefined;
    let pid: number | undefined;
    const first = await train((child) => {
      pid = child.pid;
      second = Promise.all([ptdit(["train", ...endless, "--out", out]), ptdit(["quickstart", "--out", out])]).finally(() =>
        child.kill("SIGKILL"),
      );
    });
    expect(first.signal).toBe("SIGKILL");
    for (const { code, err } of (await second)!) {
      expect(code).toBe(1);
      expect(err).toMatch(new RegExp(`^error: train: .* is in use by process ${pid} on .* since .*\\. Wait for it`));
      expect(err.trim().split("\n")).toHaveLength(1);
    }
    expect(JSON.parse(readFileSync(join(out, "run.lock"), "utf8"))).toMatchObject({ pid });
    oldRun(out);
    const { err } = await trained({ out, resume: true, stopAt: 2 });
    expect(err).toMatch(new RegExp(`was held by process ${pid}, which has ended`));
    expect(existsSync(join(out, "run.lock"))).toBe(false);
  });

  /** Ends with 7 when it was asked to stop; what comes of a program that does this with its stop request. */
  const ended = (program: string, closed = false) =>
    new Promise<number | null>((resolve) => {
      const text = `
        const { StopRequest, watchOutput } = await import("./cli/training/stopRequest.ts");
        watchOutput();
        const stop = new StopRequest();
        setTimeout(() => process.exit(9), 10_000);
        ${program}`;
      const loader = ["--import", "./node_modules/tsx/dist/loader.mjs", "--input-type=module"];
      const child = spawn(process.execPath, [...loader, "-e", text], { cwd: root });
      if (closed) child.stdout.once("data", () => child.stdout.destroy());
      child.on("exit", resolve);
    });
  const writing = 'setInterval(() => { process.stdout.write("x"); if (stop.reason) process.exit(7); }, 10);';

  it("stops and saves too when its output is closed; what trains nothing ends", async () => {
    expect(await Promise.all([ended(`stop.begin(); ${writing}`, true), ended(writing, true)])).toEqual([7, 0]);
  });

  it("ends at once at a second Ctrl-C, when it comes later than npm's echo", async () => {
    const twice = (ms: number) => `
      stop.begin();
      process.kill(process.pid, "SIGINT");
      setTimeout(() => process.kill(process.pid, "SIGINT"), ${ms});
      setTimeout(() => process.exit(stop.reason === "Ctrl-C" ? 7 : 8), ${ms + 300});`;
    expect(await Promise.all([ended(twice(100)), ended(twice(1200))])).toEqual([7, 130]);
  });
});

describe("the command that goes on", () => {
  it("reaches a shell as it is meant", async () => {
    const data = join(base, "my 'best' $pics; \"all\"");
    await drawn(data, { "a.png": 1, "b.png": 2 });
    const run = join(base, "-run `of` it's\\");
    const options = { data, out: run, preset: "tiny", size: 8, batch: 1, steps: 9, stopAt: 1, saveEvery: 3 } as const;
    const { out: said } = await trained(options);
    const command = /Go on with: (.*)$/m.exec(said)![1];
    const { stdout } = spawnSync("sh", ["-c", `ptdit() { printf '%s\\n' "$@"; }; ${command}`], { encoding: "utf8" });
    expect(stdout.trim().split("\n")).toEqual([
      ...["train", "--data", data, "--out", run, "--save-every", "3", "--threads", "1", "--resume"],
    ]);
  });
  it("is plain where it can be, and quoted for Windows' shells there", () => {
    expect(quoted("runs/emoji-64_x@2,3:a")).toBe("runs/emoji-64_x@2,3:a");
    expect(quoted("写真/é")).toBe("写真/é");
    expect(quoted("~/x")).toBe("'~/x'");
    expect(quoted("")).toBe("''");
    expect(quoted("C:\\my pics\\", "win32")).toBe('"C:\\my pics\\\\"');
  });
});

describe("quickstart", () => {
  it("that is stopped saves, says how to go on, and draws nothing", async () => {
    const stopped = await ptdit(["quickstart", "--minutes", "30", "--out", out, "--threads", "2"], {
      begun: (child) => whenUnderWay(child, () => child.kill("SIGINT")),
    });
    expect(stopped.code).toBe(0);
    expect(stopped.out).toMatch(/stopped at step \d+\. Go on with: ptdit train --data emoji:64 .*--resume/);
    expect(stopped.out).toMatch(/draw all captions with: ptdit eval --run .* --grid .*all-captions\.png/);
    expect(stopped.out).not.toMatch(/captions: nearest/);
    expect(readdirSync(out).sort()).toEqual(["checkpoint.safetensors", "log.jsonl"]);
  });

  it("passes its device on, and evaluates only what is finished", async () => {
    const spies = [vi.spyOn(training, "train"), vi.spyOn(console, "log").mockImplementation(() => {})];
    const trainer = vi.mocked(training.train);
    for (const finished of [true, false]) {
      trainer.mockResolvedValue({ folder: out, finished });
      vi.mocked(evaluate).mockClear();
      await quickstart({ minutes: 1, out, device: "wasm", vectors: "simd", threads: 3 });
      expect(trainer.mock.lastCall?.[0]).toMatchObject({ vectors: "simd", threads: 3 });
      expect(vi.mocked(evaluate).mock.calls.map(([options]) => options)).toEqual(
        finished ? [expect.objectContaining({ vectors: "simd", threads: 3, run: out })] : [],
      );
    }
    for (const spy of spies) spy.mockRestore();
  });
});
