import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import type { TrainOptions } from "../../cli/commands/train.js";
import { train } from "../../cli/training/train.js";
import { encodePng } from "../../src/pictures/encodePng.js";
import { root } from "./command.js";

/** What `body` prints and gives, in this process: without a second for each start. */
export async function printed<T>(
  body: () => T | Promise<T>,
): Promise<{ readonly result: T; readonly out: string; readonly err: string }> {
  let [out, err] = ["", ""];
  const spies = [
    vi.spyOn(console, "log").mockImplementation((line: string) => {
      out += `${line}\n`;
    }),
    vi.spyOn(process.stderr, "write").mockImplementation((piece) => {
      err += String(piece);
      return true;
    }),
  ];
  try {
    const result = await body();
    return { result, out, err };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** What `ptdit train` says and gives. */
export async function trained(options: TrainOptions, replaces?: Parameters<typeof train>[1]) {
  const { result, out, err } = await printed(() => train({ threads: 1, ...options }, replaces));
  return { ...result, out, err };
}

/** A run that an earlier version saved at step 2 of 4, of so few weights that it is quick to go on with. */
export function oldRun(folder: string): string {
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, "test/fixtures/runs/format-1/checkpoint.safetensors"), join(folder, "checkpoint.safetensors"));
  return folder;
}

/** The lines of a run's log. */
export const logOf = (folder: string): Record<string, unknown>[] =>
  readFileSync(join(folder, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Writes PNGs of one colour each, by name: grey of this lightness. */
export async function drawn(folder: string, pictures: Readonly<Record<string, number>>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, grey] of Object.entries(pictures)) {
    const data = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) => (i % 4 === 3 ? 255 : grey));
    writeFileSync(join(folder, name), await encodePng({ width: 8, height: 8, channels: 4, data }));
  }
}
