import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writeGrid } from "../../cli/show/pictures.js";
import { FileError } from "../../src/base/errors.js";
import { checkReplaceable } from "../../src/node/replaceable.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-replace-"));
afterAll(() => rmSync(folder, { recursive: true }));
const picture = { width: 1, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 255) } as const;
const path = join(folder, "out.png");

it("a picture replaces a picture, nothing and an empty file, and no other file", async () => {
  await writeGrid(path, [picture], { columns: 1, factor: 1 });
  await writeGrid(path, [picture], { columns: 1, factor: 1 });
  writeFileSync(path, "");
  await writeGrid(path, [picture], { columns: 1, factor: 1 });
  for (const text of ["weights", "x", '{"traceEvents": []}']) {
    writeFileSync(path, text);
    const failure = writeGrid(path, [picture], { columns: 1, factor: 1 });
    await expect(failure).rejects.toThrow(FileError);
    await expect(failure).rejects.toThrow(/out.png: is there already, and is no picture/);
    expect(readFileSync(path, "utf8")).toBe(text);
  }
  await checkReplaceable(path, "trace");
  writeFileSync(path, "{}");
  await expect(checkReplaceable(path, "trace")).rejects.toThrow(/is no trace/);
});
