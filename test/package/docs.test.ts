import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
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
