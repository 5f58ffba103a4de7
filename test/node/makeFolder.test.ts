import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.js";
import { makeFolder } from "../../src/node/makeFolder.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ptdit-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("makes what is missing, and tells what it made", async () => {
  const path = join(folder, "a", "b");
  expect(await makeFolder(path)).toEqual([join(folder, "a"), path]);
  expect((await stat(path)).isDirectory()).toBe(true);
  expect(await makeFolder(path)).toEqual([]);
  await symlink(path, join(folder, "link"));
  expect(await makeFolder(join(folder, "link"))).toEqual([]);
});

it("two at once both succeed", async () => {
  const path = join(folder, "a", "b", "c");
  await Promise.all([makeFolder(path), makeFolder(path)]);
  expect((await stat(path)).isDirectory()).toBe(true);
});

it.each<[string, () => Promise<string>, RegExp]>([
  ["on a file", async () => file("f"), /\/f: it is no folder\. Choose/],
  ["below a file", async () => join(await file("f"), "x", "y"), /\/f is no folder\. Choose/],
  ["below a device", async () => "/dev/null/x", /^\/dev\/null\/x: \/dev\/null is no folder\. Choose/],
  ["on a link to nothing", () => link("gone"), /is a link that leads nowhere\. Make/],
  ["below a link to nothing", async () => join(await link("gone"), "x"), /is a link that leads nowhere\. Make/],
  ["in a circle of links", () => link("link"), /could not be made; ELOOP/],
  ["with a long name", async () => join(folder, "x".repeat(300)), /could not be made; ENAMETOOLONG .*shorter/],
  ["without a name", async () => "", /its name is empty/],
])("says in one line why there can be none %s", async (_, make, message) => {
  const path = await make();
  const failure = makeFolder(path);
  await expect(failure).rejects.toThrow(FileError);
  await expect(failure).rejects.toThrow(message);
});

it.runIf(existsSync("/proc/self"))(
  "ends where nothing can be made",
  async () => {
    for (const path of ["/proc/x", "/proc/x/y", "/sys/x/y"]) await expect(makeFolder(path), path).rejects.toThrow(FileError);
  },
  10_000,
);

async function file(name: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), "");
  return join(folder, name);
}
async function link(to: string): Promise<string> {
  await symlink(join(folder, to), join(folder, "link"));
  return join(folder, "link");
}
