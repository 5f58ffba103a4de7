import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ablationSvg, foundPairs } from "../../scripts/ablationDoc.js";
import { opsTable } from "../../scripts/opsTable.js";
import { paperDoc } from "../../scripts/paperDoc.js";
import { kidOf, readQuality } from "../../scripts/qualityDoc.js";
import * as ops from "../../src/autograd/ops/index.js";
import { primitives } from "../../src/autograd/ops/primitives.js";
import type { ComparedRow } from "../../src/ptdit/ablation/compare.js";
import { differenceOf, spreadOf } from "../../src/ptdit/ablation/spread.js";
import { ptdit } from "../cli/command.js";
import { manifest, root } from "./install.js";

const { entryPoints } = JSON.parse(readFileSync(join(root, "typedoc.json"), "utf8")) as {
  readonly entryPoints: readonly string[];
};

/** Modules that the package exports, and the sources they are compiled from. */
const modules = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === "string"
    ? []
    : [[path.replace(/^\./, "ptdit"), target.default.replace(/^\.\/dist\//, "").replace(/\.js$/, ".ts")] as const],
);

const contributing = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");

describe("CONTRIBUTING", () => {
  const quoted = [...contributing.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text);
  const words = quoted.flatMap((text) => text.split(" "));
  const files = [
    ...new Set(words.filter((word) => /^[\w.-]+\/$|^[\w.-]+(\/[\w.-]+)+\/?$|^[\w.-]+\.(md|cjs|json)$/.test(word))),
  ];
  it("names files", () => expect(files.length).toBeGreaterThan(25));
  it.each(files)("%s is there", (file) => {
    expect(existsSync(join(root, file))).toBe(true);
    // A folder is written as one.
    expect(statSync(join(root, file)).isDirectory()).toBe(file.endsWith("/") || !/\.\w+$/.test(file));
  });
  const lines = quoted.filter((text) => text.startsWith("ptdit "));
  it.each(lines)("%s has these options", async (line) => {
    const [, command, ...rest] = line.split(" ");
    const { code, out } = await ptdit([command, "--help"]);
    expect(code).toBe(0);
    for (const option of rest.filter((word) => word.startsWith("--"))) expect(out).toContain(option);
  });
  it("takes a page", () => expect(contributing.split("\n").length).toBeLessThan(90));
});

it("the page of ops has all of them, with what they compute and their gradients", () => {
  const rows = opsTable()
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  expect(rows).toHaveLength(Object.keys(ops).length + Object.keys(primitives).length);
  for (const cells of rows) expect(cells).not.toMatch(/\|\s*\||undefined|NaN|\[object/);
  expect(rows).toContain("| `softmax` | y = softmax(x) | x: softmaxGrad(y, dy) |");
  expect(rows).toContain("| `tanh` | y = tanh(x) | x: dy·(1 - y²) |");
});

it("the page of the paper is what is counted today", () => {
  expect(readFileSync(join(root, "docs/paper.md"), "utf8")).toBe(paperDoc());
  expect(readFileSync(join(root, "docs/paper-ablations.svg"), "utf8")).toBe(ablationSvg());
});

it("the README's figures of KID are those that were measured", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8").replace(/\s+/g, " ");
  const measured = readQuality();
  const of = (name: string, digits = 2) => kidOf(measured, name).value.toFixed(digits);
  expect(readme).toContain(
    `On ${measured.data} at ${measured.size} pixels halves come to ${kidOf(measured, "mirrored").floor.toFixed(3)} at most, ` +
      `mirrored pictures to ${of("mirrored", 3)}, a blur of 3 pixels to ${of("blur of 3 pixels")}, ` +
      `one of 5 to ${of("blur of 5 pixels")}, noise of 38 levels to ${of("noise of 38 levels")}`,
  );
});

describe("the paper's order of an ablation", () => {
  const row = (name: string, paper: number | undefined, losses: readonly number[], first: readonly number[]): ComparedRow => ({
    ...{ name, cost: 1, ...(paper !== undefined && { paper }) },
    budgets: {
      steps: {
        ...{ steps: 1, loss: spreadOf(losses), top5: spreadOf([0]) },
        ...(losses !== first && { difference: differenceOf(losses, first) }),
      },
    },
  });
  const first = [1, 2, 3];
  const rows = [
    row("first", 1, first, first),
    // Seed by seed 0.1 apart, which the spread over seeds hides.
    row("second", 2, [1.1, 2.1, 3.11], first),
    row("not of the paper", undefined, [9, 9, 9], first),
    row("third", 3, [0.9, 1.9, 2.89], first),
    row("fourth", 4, [50, 51, 52], first),
  ];
  it("is confirmed, contradicted or left open pair by pair, as their intervals allow", () => {
    expect(foundPairs(rows, "steps", 3).map(({ better, worse, found }) => [better, worse, found])).toEqual([
      ["first", "second", "confirmed"],
      ["first", "third", "contradicted"],
      ["first", "fourth", "confirmed"],
      // Their seeds are not known one by one: the sum of both deviations bounds that of the differences.
      ["second", "third", "open"],
      ["second", "fourth", "confirmed"],
      ["third", "fourth", "confirmed"],
    ]);
    expect(foundPairs(rows, "arithmetic", 3)).toEqual([]);
  });
});

describe("API pages", () => {
  it("cover every module of the package", () => {
    expect([...entryPoints].sort()).toEqual(modules.map(([, source]) => source).sort());
  });
  it.each(modules)("%s is titled by what is imported", (name, source) => {
    expect(existsSync(join(root, source))).toBe(true);
    expect(readFileSync(join(root, source), "utf8")).toMatch(
      new RegExp(`^/\\*\\*\\n(?: \\* .*\\n)+ \\* @module ${name}\\n \\*/\\n`),
    );
  });
});
