import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ptdit, root } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const out = (name: string) => join(folder, name);
const small = ["--data", "emoji:64", "--batch", "4", "--size", "16", "--sample-every", "1000", "--threads", "2"];
const hash = (name: string) =>
  createHash("sha256")
    .update(readFileSync(join(out(name), "checkpoint.safetensors")))
    .digest("hex");

describe("ptdit train", () => {
  it("stopped and resumed, or killed and resumed, equals a straight run", async () => {
    const train = (name: string, ...rest: string[]) => ptdit(["train", ...small, "--out", out(name), ...rest]);
    expect(await train("straight", "--steps", "20")).toMatchObject({ code: 0 });
    const stopped = await train("stopped", "--steps", "20", "--stop-at", "10");
    expect(stopped.out).toContain("stopped at step 10. Go on with: ptdit train");
    expect(await train("stopped", "--steps", "20", "--resume")).toMatchObject({ code: 0 });
    const saved = join(out("killed"), "checkpoint.safetensors");
    let watching: NodeJS.Timeout | undefined;
    await ptdit(["train", ...small, "--out", out("killed"), "--steps", "20", "--save-every", "4"], {
      begun: (child) => {
        watching = setInterval(() => existsSync(saved) && child.kill("SIGKILL"), 20);
      },
    });
    clearInterval(watching);
    expect(await train("killed", "--steps", "20", "--resume")).toMatchObject({ code: 0 });
    expect(hash("stopped")).toBe(hash("straight"));
    expect(hash("killed")).toBe(hash("straight"));

    const log = readFileSync(join(out("straight"), "log.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(log.at(-1)).toMatchObject({ step: 20, lossByTimestep: expect.any(Array), gradientNorm: expect.any(Number) });
  });

  it("draws, strips and evaluates what was trained", async () => {
    const run = ["--run", out("straight"), "--steps", "2"];
    const drawn = await ptdit(["sample", ...run, "--prompt", "red hart", "tree", "--out", out("grid.png")]);
    expect(drawn).toMatchObject({ code: 0 });
    expect(drawn.err).toContain('never saw the word "hart"');
    expect(readFileSync(out("grid.png")).subarray(1, 4).toString()).toBe("PNG");
    expect(await ptdit(["sample", ...run, "--prompt", "tree", "--strip", "--out", out("strip.png")])).toMatchObject({
      code: 0,
    });
    const evaluated = await ptdit(["eval", ...run, "--json"]);
    expect(JSON.parse(evaluated.out)).toMatchObject({
      captions: 64,
      top1: expect.any(Number),
      lossByTimestep: expect.any(Array),
      ...{
        measured: 64,
        psnr: expect.any(Number),
        speckle: expect.any(Number),
        hf: expect.any(Number),
        seam: expect.any(Number),
      },
    });
  });
});

describe("measuring", () => {
  it("profile shares out a step's time among kernels and modules, and writes a trace", async () => {
    const { code, out: text } = await ptdit(["profile", "--preset", "tiny", "--batch", "1", "--trace", out("trace.json")]);
    expect(code).toBe(0);
    expect(text).toMatch(/matmul\n/);
    expect(text).toMatch(/blocks\.\*\.mlp/);
    const { traceEvents } = JSON.parse(readFileSync(out("trace.json"), "utf8"));
    expect(traceEvents[0]).toMatchObject({ ph: "X", dur: expect.any(Number), args: { scope: expect.any(String) } });
  });
  it("bench prints one JSON object", async () => {
    const { out: text } = await ptdit(["bench", "--only", "matmul", "--seconds", "0.05", "--json"]);
    expect(JSON.parse(text)).toMatchObject({
      machine: { node: process.versions.node },
      matmul: expect.arrayContaining([expect.objectContaining({ m: 256, threads: 2 })]),
    });
  });
});

describe("bad input ends in one clear line", () => {
  const refused = async (args: string[], message: RegExp) => {
    const { code, err } = await ptdit(args);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^\s+at /m);
    expect(err.trim().split("\n").length).toBeLessThanOrEqual(2);
  };
  it.each<[string, string[], RegExp]>([
    ["unknown preset", ["train", "--data", "emoji:64", "--preset", "huge", "--out", out("x")], /unknown preset "huge"/],
    ["unknown data", ["train", "--data", "emoji:99", "--out", out("x")], /emoji:99/],
    ["missing folder", ["train", "--data", "no/such/folder", "--out", out("x")], /no\/such\/folder/],
    [
      "indivisible window",
      ["train", "--data", "emoji:64", "--window", "1,3,3", "--out", out("x"), "--steps", "2"],
      /not divisible by window 3/,
    ],
    ["bad number", ["train", "--data", "emoji:64", "--steps", "many"], /steps must be a whole number/],
    ["nothing to resume", ["train", "--data", "emoji:64", "--out", out("nothing"), "--resume"], /no run to resume/],
    ["no run", ["sample", "--run", out("nothing"), "--prompt", "x"], /cannot read .*ENOENT/],
    ["no fixture", ["verify", out("nothing.safetensors")], /cannot read .*ENOENT/],
  ])("%s", (_, args, message) => refused(args, message));

  it("empty folder of pictures", async () => {
    mkdirSync(out("empty"));
    await refused(["train", "--data", out("empty"), "--out", out("x")], /empty/);
  });
  it("damaged checkpoint and fixture", async () => {
    const path = join(out("stopped"), "checkpoint.safetensors");
    truncateSync(path, 5000);
    await refused(["sample", "--run", out("stopped"), "--prompt", "x"], /checkpoint\.safetensors/);
    writeFileSync(out("bad.safetensors"), "nonsense");
    await refused(["verify", out("bad.safetensors")], /bad\.safetensors/);
  });
  it("verify passes a fixture and says how well", async () => {
    const { code, out: text } = await ptdit([
      "verify",
      join(root, "test/fixtures/image_noshift.safetensors"),
      "--device",
      "reference",
    ]);
    expect(code).toBe(0);
    expect(text).toMatch(/ok\s+gradients\s+54 checked/);
  });
  it("info says what runs and why", async () => {
    expect((await ptdit(["info", "--threads", "2"])).out).toMatch(/threads: 2: asked for/);
  });
});
