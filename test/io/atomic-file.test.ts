import { mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.js";
import { type FileSystem, writeFileAtomic } from "../../src/io/atomic-file.js";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ptdit-"));
  path = join(folder, "checkpoint");
  await writeFile(path, "old");
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = new TextEncoder().encode("new content");
type Step = "open" | "write" | "sync" | "close" | "rename";

/** The real file system, but one step fails, as on a full disk; it tells its steps. */
function failingAt(failing: Step | undefined, log: string[] = [], code = "ENOSPC"): FileSystem {
  const take = async (step: Step) => {
    log.push(step);
    if (step === failing) throw Object.assign(new Error(`${code}: no`), { code });
  };
  return {
    open: async (name, flags) => {
      if (flags === "w") await take("open");
      const file = await open(name, flags);
      return {
        writeFile: async (content) => {
          await file.writeFile(content.subarray(0, 4));
          await take("write");
          await file.writeFile(content.subarray(4));
        },
        sync: () => take("sync"),
        close: async () => {
          await file.close();
          if (flags === "w") await take("close");
        },
      };
    },
    rename: async (from, to) => {
      await take("rename");
      await rename(from, to);
    },
    rm,
  };
}

it("replaces the content and leaves nothing beside it", async () => {
  await writeFileAtomic(path, bytes);
  expect(await readFile(path, "utf8")).toBe("new content");
  expect(await readdir(folder)).toEqual(["checkpoint"]);
});

it("syncs the bytes before the name, and the name after", async () => {
  const log: string[] = [];
  await writeFileAtomic(path, bytes, failingAt(undefined, log));
  expect(log).toEqual(["open", "write", "sync", "close", "rename", "sync"]);
});

it.each(["open", "write", "sync", "close", "rename"] as const)("keeps the old file when %s fails", async (step) => {
  const failure = writeFileAtomic(path, bytes, failingAt(step));
  await expect(failure).rejects.toThrow(FileError);
  await expect(failure).rejects.toThrow(/checkpoint: could not be written; ENOSPC .*The disk is full/);
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["checkpoint"]);
});

it("overwrites what a killed process left behind", async () => {
  await writeFile(join(folder, ".checkpoint.partial"), "half of a much longer file that was never finished");
  await writeFileAtomic(path, bytes);
  expect(await readFile(path, "utf8")).toBe("new content");
  expect(await readdir(folder)).toEqual(["checkpoint"]);
});

it("names the cure when the folder is missing", async () => {
  await expect(writeFileAtomic(join(folder, "no", "file"), bytes)).rejects.toThrow(/ENOENT .*Create the folder/);
});
