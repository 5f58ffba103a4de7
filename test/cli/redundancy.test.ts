import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { redundancy } from "../../cli/commands/redundancy.js";
import { decodePng } from "../../src/pictures/png.js";
import { at, useTemporaryFolders } from "../temporaryFolder.js";
import { oldRun, printed, trained } from "./inProcess.js";

useTemporaryFolders();

const where = { seed: 0, threads: 1, device: "wasm" } as const;
const few = { ...where, samples: 2, times: [300, 700], window: [1, 2, 2] as [number, number, number] };

describe("ptdit redundancy", () => {
  it("tells of every layer and time whether rows of windows agree, and draws them", async () => {
    const run = at("run");
    await trained({ data: "emoji:64", out: run, mixing: "full", size: 16, patch: 2, batch: 2, steps: 2 });
    const { out, err } = await printed(() => redundancy({ ...few, run, out: at("rows.png") }));
    const lines = out.trim().split("\n");
    expect(lines).toHaveLength(1 + 2 * 6 + 3);
    expect(lines[0]).toMatch(/^ *t +layer +D near +D far +random +untrained .* Spearman +claim$/);
    for (const line of lines.slice(1, 13))
      expect(line).toMatch(/ (confirmed|(unconfirmed|refuted) \((near|random|E)(, (random|E))*\))$/);
    expect(lines[13]).toBe("medians over heads, 2 pictures of 64 and windows of 1x2x2 in 1x8x8 tokens, after 2 steps");
    expect(lines[14]).toMatch(/^layers and times: confirmed \d+, unconfirmed \d+, refuted \d+; before training: confirmed/);
    expect(err).toMatch(/note: a grid of 1x8x8 tokens has few far rings; the paper's is 1x32x32/);
    const { width, height } = await decodePng(readFileSync(at("rows.png")), "rows.png");
    expect([width > 800, height > 1000]).toEqual([true, true]);

    const found = JSON.parse((await printed(() => redundancy({ ...few, run, json: true }))).out);
    expect(found).toMatchObject({
      step: 2,
      data: "emoji:64",
      grid: [1, 8, 8],
      window: [1, 2, 2],
      samples: 2,
      times: [300, 700],
    });
    expect([found.layers.length, found.untrained.length]).toEqual([12, 12]);
    const [first] = found.layers;
    expect(first).toMatchObject({
      layer: 0,
      t: 300,
      verdict: { outcome: /(confirmed|unconfirmed|refuted)( \(.*\))?$/.exec(lines[1])?.[1] },
    });
    expect(first.rows.spread).toHaveLength(4);
    expect(lines[1].split(/ +/).slice(1, 5)).toEqual(
      expect.arrayContaining([first.rows.near[1].toFixed(3), first.rows.far[1].toFixed(3)]),
    );
    // Two steps change little, but something.
    expect(found.untrained[0].rows.far).not.toEqual(first.rows.far);

    const other = await printed(() => redundancy({ ...few, run, data: "emoji:core", times: [500], samples: 1, json: true }));
    expect(JSON.parse(other.out)).toMatchObject({ data: "emoji:core", samples: 1 });
    expect(other.err).toMatch(/warning: the model never saw \d+ words of these captions/);
  });

  it("refuses what cannot be measured, before it measures", async () => {
    const run = oldRun(at("run"));
    await expect(redundancy({ ...few, run })).rejects.toThrow(/mixing is "proxy"\. Train one with --mixing full/);
    await expect(redundancy({ ...few, run, layer: 7 })).rejects.toThrow(/has layers 0 to \d, --layer says 7/);
    await expect(redundancy({ ...few, run, out: at("rows.gif") })).rejects.toThrow(/pictures are written as \.png/);
    await expect(redundancy({ ...few, run: at("none") })).rejects.toThrow(/cannot read .*ENOENT/);
    expect(existsSync(at("none"))).toBe(false);
  });
});
