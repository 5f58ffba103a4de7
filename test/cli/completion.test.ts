import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presetAliases, presetNames } from "../../src/ptdit/presets.js";
import { ptdit } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-completion-"));
afterAll(() => rmSync(folder, { recursive: true }));
const script = (shell: string) => join(folder, `completion.${shell}`);
const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

beforeAll(async () => {
  await Promise.all(
    ["bash", "zsh", "fish"].map(async (shell) => {
      const { code, out } = await ptdit(["completion", shell]);
      expect(code).toBe(0);
      writeFileSync(script(shell), out);
    }),
  );
});

/** What bash offers after these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  // As bash cuts a line: a colon is a word of its own.
  const cut = words.flatMap((word) => word.split(/(?<=:)|(?=:)/)).map((word) => `'${word}'`);
  const program = `source ${script("bash")}; COMP_WORDS=(ptdit ${cut.join(" ") || "''"}); COMP_CWORD=${Math.max(1, cut.length)}; _ptdit; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", program], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split("\n").sort();
}

describe("completion", () => {
  it.runIf(has("bash"))("offers commands, their options, and what these take, in bash", () => {
    expect(offered("")).toEqual(expect.arrayContaining(["train", "sample", "quickstart", "completion", "--help"]));
    expect(offered("tr")).toEqual(["train"]);
    expect(offered("train", "--res")).toEqual(["--resume"]);
    expect(offered("train", "--preset", "")).toEqual([...presetNames, ...Object.keys(presetAliases)].sort());
    expect(offered("train", "--preset", "paper-x")).toEqual(["paper-xl"]);
    expect(offered("train", "--data", "emoji:6")).toEqual(["64"]);
    expect(offered("train", "--mixing", "f")).toEqual(["full"]);
    expect(offered("redundancy", "--data", "emoji:6")).toEqual(["64"]);
    expect(offered("train", "--lr", "")).toEqual([""]);
    expect(offered("train", "--data", "emoji:64", "--prediction", "e")).toEqual(["epsilon"]);
    expect(offered("profile", "--mode", "s")).toEqual(["sample"]);
    expect(offered("completion", "")).toEqual(expect.arrayContaining(["bash", "zsh", "fish"]));
    expect(offered("nonsense", "--p")).toEqual([""]);
  });

  for (const shell of ["zsh", "fish"]) {
    it.runIf(has(shell))(`is a script that ${shell} reads`, () => {
      expect(spawnSync(shell, ["-n", script(shell)], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    });
  }

  it("of a shell that is none is refused", async () => {
    const { code, err } = await ptdit(["completion", "tcsh"]);
    expect(code).toBe(1);
    expect(err).toMatch(/bash, zsh, fish/);
  });
});
