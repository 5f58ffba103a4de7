import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type EvaluateOptions, evaluate } from "../../cli/commands/eval.js";
import { ConfigError } from "../../src/base/errors.js";
import { loadRunDescription } from "../../src/node/checkpoint.js";
import { drawn, printed, trained } from "./inProcess.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-captions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const tiny = { data: "emoji:64", preset: "tiny", size: 8, batch: 2, steps: 4 } as const;
const saved = (out: string) => readFileSync(join(out, "checkpoint.safetensors"));
const judged = async (run: string, captions: NonNullable<EvaluateOptions["captions"]>) => {
  const { out, err } = await printed(() =>
    evaluate({ run, captions, steps: 1, guidance: 1, seed: 0, json: true, threads: 1, device: "wasm" }),
  );
  return { figures: JSON.parse(out), err };
};

describe("a run on rich captions", () => {
  const out = join(folder, "rich");

  it("keeps that, and goes on with it bit for bit", async () => {
    const straight = join(folder, "straight");
    await trained({ ...tiny, out: straight, captions: "rich" });
    await trained({ ...tiny, out, captions: "rich", stopAt: 2 });
    expect(await loadRunDescription(join(out, "checkpoint.safetensors"))).toMatchObject({ captions: "rich" });
    const { out: said } = await trained({ out, resume: true, captions: "rich" });
    expect(said).toMatch(/resumed at step 2 of 4: nothing changed/);
    const run = await loadRunDescription(join(out, "checkpoint.safetensors"));
    expect([run.captions, run.tokenizer.length]).toEqual(["rich", 11]);
    expect(run.tokenizer.words).toEqual(expect.arrayContaining(["vehicle", "mammal", "purple"]));
    expect(saved(out).equals(saved(straight))).toBe(true);
  });

  it("refuses other captions by name", async () => {
    const failure = trained({ out, resume: true, captions: "name" });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(/cannot change --captions name \(it has rich\)/);
  });

  it.each(["name", "rich", "heldout"] as const)("is judged by captions of kind %s", async (kind) => {
    const { figures, err } = await judged(out, kind);
    expect(figures).toMatchObject({ asked: kind, captions: 64, distinctCaptions: 64 });
    expect(err).toBe("");
  });
});

describe("a run on names", () => {
  it("may be asked for what it never saw, which is said; its data has not changed by that", async () => {
    const out = join(folder, "named");
    await trained({ ...tiny, steps: 1, out });
    expect(await loadRunDescription(join(out, "checkpoint.safetensors"))).not.toHaveProperty("captions");
    await expect(trained({ out, resume: true, captions: "rich" })).rejects.toThrow(/--captions rich \(it has name\)/);
    const { figures, err } = await judged(out, "heldout");
    expect(figures).toMatchObject({ asked: "heldout", captions: 64 });
    expect(err).toMatch(
      /^warning: the model never saw \d+ words of these captions: .* more\.\nwarning: the model reads 3 words/,
    );
    expect(err).not.toMatch(/has changed/);
  });
});

describe("a folder's pictures", () => {
  it("of which too little is seen have nothing held out", async () => {
    const [pictures, out] = [join(folder, "plain"), join(folder, "of plain")];
    await drawn(pictures, { "dark thing.png": 10, "light thing.png": 250 });
    await trained({ ...tiny, data: pictures, steps: 1, captions: "rich", out });
    expect((await loadRunDescription(join(out, "checkpoint.safetensors"))).tokenizer.words).toEqual(
      expect.arrayContaining(["on", "black", "white"]),
    );
    await expect(judged(out, "heldout")).rejects.toThrow(/none of the 2 pictures of .* has a caption held out/);
  });
});
