import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import jpeg from "jpeg-js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sample as runSample, type SampleOptions } from "../../cli/commands/sample.js";
import { preparePictureFile, preparePictureFolder } from "../../cli/show/pictureFile.js";
import { train } from "../../cli/training/train.js";
import { decodePng } from "../../src/pictures/png.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ptdit-sample-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]) => join(folder, ...names);

const run = at("run");
// Stopped before its last step, it draws no grid. A model that says the velocity draws another picture of every noise from the start.
const training = {
  preset: "nano",
  recipe: "baseline",
  size: 16,
  steps: 2,
  stopAt: 1,
  seed: 0,
  saveEvery: 1000,
  sampleEvery: 1000,
  threads: 1,
} as const;

/** Runs the command within this process; returns what it printed, and what it warned of. */
async function sample(prompt: string[], options: Partial<SampleOptions> = {}): Promise<{ out: string[]; err: string }> {
  const [out, err] = [vi.spyOn(console, "log"), vi.spyOn(process.stderr, "write")];
  out.mockImplementation(() => {});
  err.mockImplementation(() => true);
  try {
    const plain = {
      negative: "",
      steps: 2,
      guidance: 1,
      method: "euler",
      seed: 0,
      count: 1,
      threads: 1,
      device: "wasm",
    } as const;
    await runSample({ ...("model" in options ? {} : { run }), prompt, ...plain, ...options });
    return { out: out.mock.calls.flat().map(String), err: err.mock.calls.map(([text]) => String(text)).join("") };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

/** The real command line. */
function ptdit(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", join(root, "cli/main.ts"), ...args], { cwd: root });
    let [out, err] = ["", ""];
    child.stdout.on("data", (piece) => {
      out += piece;
    });
    child.stderr.on("data", (piece) => {
      err += piece;
    });
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

beforeAll(async () => {
  await train({ ...training, data: "emoji:64", batch: 4, out: run });
});

describe("ptdit sample", () => {
  it("draws several pictures a prompt, each the same whatever is drawn beside it", async () => {
    const names = ["1-tree.png", "2-tree.png", "3-red-heart.png", "4-red-heart.png"];
    const options = ["--run", run, "--steps", "2", "--guidance", "1", "--threads", "1", "--count", "2", "--separate"];
    const first = await ptdit("sample", ...options, "--prompt", "tree", "red/heart", "--out", at("first"));
    expect(first.code, first.err).toBe(0);
    expect(first.out.trim().split("\n")).toEqual(names.map((name) => at("first", name)));
    expect(readdirSync(at("first")).sort()).toEqual(names);
    const second = await sample(["红心", "red/heart"], { count: 3, separate: true, out: at("second") });
    expect(second.out[0]).toBe(at("second", "1-红心.png"));

    const pixels = (...path: string[]) => readFileSync(at(...path)).toString("base64");
    expect(pixels("second", "4-red-heart.png")).toBe(pixels("first", "3-red-heart.png"));
    expect(pixels("second", "5-red-heart.png")).toBe(pixels("first", "4-red-heart.png"));
    const three = ["4", "5", "6"].map((number) => pixels("second", `${number}-red-heart.png`));
    expect(new Set(three).size).toBe(3);
    const { width, height } = await decodePng(readFileSync(at("first", "1-tree.png")), "x");
    expect([width, height]).toEqual([16, 16]);
  });

  it("writes real JPEG where the name says so, a row a prompt", async () => {
    for (const name of ["grid.jpg", "deep/er/grid.JPEG", "grid.png"]) {
      expect((await sample(["tree", "cat"], { count: 3, out: at(name) })).out).toEqual([at(name)]);
    }
    const png = await decodePng(readFileSync(at("grid.png")), "x");
    expect(png.width).toBeGreaterThan(3 * 64);
    expect(png.width).toBeLessThan(4 * 64);
    for (const name of ["grid.jpg", "deep/er/grid.JPEG"]) {
      const { width, height, data } = jpeg.decode(readFileSync(at(name)), { useTArray: true });
      expect([width, height]).toEqual([png.width, png.height]);
      const error = data.reduce((sum, value, i) => sum + Math.abs(value - png.data[i]), 0) / data.length;
      expect(error).toBeLessThan(12);
    }
  });

  it("draws strips with captions, from the noise on", async () => {
    const heights = [];
    for (const prompt of [["tree"], ["tree", "红心"]]) {
      await sample(prompt, { strip: true, out: at("strip.png") });
      const { width, height, data } = await decodePng(readFileSync(at("strip.png")), "x");
      expect(width).toBeGreaterThan(3 * 48);
      // Letters are the only grey ones on the white below the pictures.
      const lines = Array.from({ length: height }, (_, y) => data.subarray(4 * y * width, 4 * (y + 1) * width));
      const written = lines.slice(3 * 16 + 12).filter((line) => line.some((value, i) => i % 4 === 0 && value === 40));
      expect(written.length).toBeGreaterThan(10);
      heights.push(height);
    }
    expect(heights[1]).toBeGreaterThan(1.8 * heights[0]);
  });

  it("says once which letters no font has", async () => {
    const { err } = await sample(["tree \u{10FFFF}", "\u{10FFFF} cat"], { out: at("missing.png") });
    expect(err.match(/cannot be drawn/g)).toHaveLength(1);
    expect(err).toContain("1 letters");
    expect((await sample(["tree \u{10FFFF}"], { out: at("missing.png") })).err).not.toContain("cannot be drawn");
  });

  it.each([
    ["x.webp", /written as \.png, \.jpg, \.jpeg; .*"\.webp".*x\.png/],
    ["x.jpg.gif", /"\.gif".*x\.jpg\.png/],
    ["x", /"x" has no such ending.*x\.png/],
    ["", /has no such ending/],
    [folder, /is a folder.*sample\.png.*--separate/],
    [`${at("not-there")}/`, /is a folder/],
  ])("refuses to write one picture to '%s'", async (path, message) => {
    await expect(preparePictureFile(path)).rejects.toThrow(message);
  });

  it("refuses a file, or what looks like one, as a folder of pictures", async () => {
    writeFileSync(at("file"), "mine");
    for (const path of [at("file"), at("x.png")]) await expect(preparePictureFolder(path)).rejects.toThrow(/is a file's name/);
    expect(readFileSync(at("file"), "utf8")).toBe("mine");
    expect(existsSync(at("x.png"))).toBe(false);
  });

  it("refuses before anything is computed, in one line", async () => {
    const { code, err } = await ptdit("sample", "--run", at("no-run"), "--prompt", "tree", "--out", "x.webp");
    expect(code).toBe(1);
    expect(err).toMatch(/^error: out: pictures are written as .*\n$/);
  });

  it("asks which model, when nothing says it, and knows no model that does not ship", async () => {
    await expect(sample(["tree"], { model: "no such" })).rejects.toThrow(/model "no such"|asked was "no such"/);
    expect(existsSync("no such-sample.png")).toBe(false);
    const none = await ptdit("sample", "--prompt", "tree");
    expect(none.err).toMatch(/^error: sample: nothing says which model. Give --run, a run of yours.*\n$/);
    const { code, err } = await ptdit("sample", "--run", run, "--model", "emoji", "--prompt", "tree");
    expect([none.code, code]).toEqual([1, 1]);
    expect(err).toContain("'--model <name>' cannot be used with option '--run <run>'");
  });

  it("writes into the run where no place is given", async () => {
    expect((await sample(["tree"])).out).toEqual([join(run, "sample.png")]);
    expect((await sample(["tree"], { separate: true })).out).toEqual([join(run, "pictures", "1-tree.png")]);
    expect(existsSync(join(run, "pictures", "1-tree.png"))).toBe(true);
  });
});

describe("ptdit eval", () => {
  it("takes pictures of equal captions as right", async () => {
    const pictures = at("twins");
    mkdirSync(pictures);
    const square = readFileSync(at("first", "1-tree.png"));
    const other = readFileSync(at("first", "2-tree.png"));
    for (const [name, bytes] of Object.entries({ "one.png": square, "two.png": other }))
      writeFileSync(join(pictures, name), bytes);
    const lines = ["one", "two"].map((name, i) => JSON.stringify({ file: `${name}.png`, caption: i ? "A Tree!" : "a tree" }));
    writeFileSync(join(pictures, "captions.jsonl"), lines.join("\n"));
    await train({ ...training, data: pictures, batch: 2, out: at("twins-run") });
    const { out } = await ptdit(
      "eval",
      "--run",
      at("twins-run"),
      "--steps",
      "2",
      "--guidance",
      "1",
      "--threads",
      "1",
      "--json",
    );
    expect(JSON.parse(out)).toMatchObject({ captions: 2, distinctCaptions: 1, top1: 1, misses: [] });
  });
});
