/** An empty folder for every test of a file; all of them are removed at the end. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach } from "vitest";

/** Where they are. */
export const base = mkdtempSync(join(tmpdir(), "ptdit-folder-"));
let count = 0;
/** The running test's. */
export let folder = "";

/** To be called once by a file of tests. */
export function useTemporaryFolders(): void {
  beforeEach(() => {
    folder = join(base, String(count++));
    mkdirSync(folder);
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));
}

/** A path in it. */
export const at = (...names: string[]): string => join(folder, ...names);
/** All that is in it. */
export const tree = (path = folder): string[] => readdirSync(path, { recursive: true }).map(String).sort();
