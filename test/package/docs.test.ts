import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { opsTable } from "../../scripts/opsTable.js";
import { paperDoc } from "../../scripts/paperDoc.js";
import * as ops from "../../src/autograd/ops/index.js";
import { primitives } from "../../src/autograd/ops/primitives.js";
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
