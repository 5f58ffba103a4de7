import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.js";
import { type FileSystem, writeFileAtomic } from "../../src/node/atomicFile.js";

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

// @source https://github.com/microsoft/terminal/pull/10908
it.each(["absolute", "relative", "of a link", "to nothing yet"])(
  "keeps a link, and writes what it leads to: %s",
  async (kind) => {
    const [disk, link] = [join(folder, "disk"), join(folder, "link")];
    await mkdir(disk);
    const real = join(disk, "real");
    if (kind !== "to nothing yet") await writeFile(real, "old");
    await symlink(kind === "relative" ? "disk/real" : real, kind === "of a link" ? join(folder, "middle") : link);
    if (kind === "of a link") await symlink("middle", link);
    const before = await readlink(link);
    await writeFileAtomic(link, bytes);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readlink(link)).toBe(before);
    expect(await readFile(real, "utf8")).toBe("new content");
    expect(await readdir(disk)).toEqual(["real"]);
  },
);

it("keeps a file's permissions", async () => {
  await chmod(path, 0o600);
  await writeFileAtomic(path, bytes);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it("writes to a device as it is, and refuses a folder, before anything is made", async () => {
  await writeFileAtomic("/dev/null", bytes);
  expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  await mkdir(join(folder, "sub"));
  let asked = false;
  const parts = function* () {
    asked = true;
    yield bytes;
  };
  await expect(writeFileAtomic(join(folder, "sub"), parts())).rejects.toThrow(/sub: could not be written; EISDIR .*A folder/);
  expect(asked).toBe(false);
});

it("writes parts one after the other, and writes of one file too", async () => {
  const parts = async function* (text: string) {
    for (const letter of text) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      yield new TextEncoder().encode(letter);
    }
  };
  await Promise.all([writeFileAtomic(path, parts("first of two")), writeFileAtomic(path, parts("second"))]);
  expect(await readFile(path, "utf8")).toBe("second");
  expect(await readdir(folder)).toEqual(["checkpoint"]);
});

it("never writes through what stands at its side", async () => {
  const other = join(folder, "precious");
  await writeFile(other, "precious");
  await symlink(other, join(folder, ".checkpoint.partial"));
  await writeFileAtomic(path, bytes);
  expect(await readFile(other, "utf8")).toBe("precious");
  expect(await readFile(path, "utf8")).toBe("new content");
});
