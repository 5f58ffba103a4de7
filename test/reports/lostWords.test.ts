/** What the command line says of captions and prompts that are longer than the model reads, and of a folder's sub-folders. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jpeg, quarters } from "../pictures/pictureFiles.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ptdit-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ptdit = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["--import", "tsx", join(root, "cli/main.ts"), ...args], { cwd: root });
const warnings = (text: string) => text.split("\n").filter((line) => line.startsWith("warning:"));

it("says each of them once, in training and in sampling, and a run remembers its sub-folders", async () => {
  const words = Array.from({ length: 34 }, (_, i) => `word${i}`);
  await mkdir(join(folder, "pictures/below"), { recursive: true });
  for (const name of ["a.jpg", "below/b.jpg"]) await writeFile(join(folder, "pictures", name), jpeg(quarters(16, 16)));
  await writeFile(join(folder, "pictures/a.txt"), words.join(" "));
  await writeFile(join(folder, "pictures/below/b.txt"), "a cat");
  const data = ["--data", join(folder, "pictures")];
  const small = ["--batch", "1", "--size", "16", "--threads", "1", "--sample-every", "1000", "--out", join(folder, "run")];
  const lost = 'warning: the model reads 32 words; of 1 longer text it loses: "word32", "word33".';

  const trained = await ptdit("train", ...data, "--recursive", ...small, "--steps", "1");
  expect(warnings(trained.stderr)).toEqual([lost]);
  expect(trained.stdout).toContain("2 pictures of 16 px");
  const resumed = await ptdit("train", ...data, ...small, "--steps", "2", "--resume");
  expect(warnings(resumed.stderr)).toEqual([lost]);
  expect(resumed.stdout).toContain("2 pictures of 16 px");

  const prompts = [words.slice(0, 33).join(" "), words.join(" ")];
  const sampled = await ptdit("sample", "--run", join(folder, "run"), "--steps", "1", "--threads", "1", "--prompt", ...prompts);
  expect(warnings(sampled.stderr)).toEqual([
    'warning: the model reads 32 words; of 2 longer texts it loses: "word32", "word33".',
  ]);
});
