import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nodeFileSystem, writeFileAtomic } from "../../src/io/atomic-file.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-file-"));

it("replaces a file whole", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "old");
  await writeFileAtomic(path, new TextEncoder().encode("new"));
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["a"]);
});

it("keeps the old file when the disk is full, and leaves nothing beside it", async () => {
  const path = join(folder, "a");
  const before = readFileSync(path, "utf8");
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  const broken = {
    ...nodeFileSystem,
    open: async (...args: Parameters<typeof nodeFileSystem.open>) => {
      const file = await nodeFileSystem.open(...args);
      return {
        writeFile: () => Promise.reject(full),
        write: () => Promise.reject(full),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  } as unknown as typeof nodeFileSystem;
  await expect(writeFileAtomic(path, new Uint8Array(10), broken)).rejects.toThrow(/full|space/i);
  expect(readFileSync(path, "utf8")).toBe(before);
  expect(readdirSync(folder)).toEqual(["a"]);
});
