import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { wasm } from "../../../src/backend/wasm/device.js";
import { ConfigError, FileError } from "../../../src/base/errors.js";
import { parseTable } from "../../../src/data/delimitedText.js";
import { PictureSet } from "../../../src/data/pictureSet.js";
import { Tokenizer } from "../../../src/data/tokenizer.js";
import { type FolderStoreOptions, folderStore } from "../../../src/node/run/folderStore.js";
import { ptditConfig } from "../../../src/ptdit/config.js";
import { flowConfig } from "../../../src/ptdit/flow.js";
import { memoryStore } from "../../../src/ptdit/session/memoryStore.js";
import type { SessionOptions } from "../../../src/ptdit/session/options.js";
import type { RunStore } from "../../../src/ptdit/session/runStore.js";
import { session } from "../../../src/ptdit/session/session.js";
import { Trainer } from "../../../src/ptdit/trainer.js";
import { defaultTraining } from "../../../src/ptdit/trainingConfig.js";

const base = mkdtempSync(join(tmpdir(), "ptdit-store-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const device = await wasm({ threads: 1, vectors: "simd" });
afterAll(() => device.close());

const captions = ["red apple", "green tree"];
const pictures = Float32Array.from({ length: 2 * 3 * 16 }, (_, i) => Math.sin(i));
const data = new PictureSet({ name: "waves", size: 4, captions, pictures });
const model = ptditConfig({
  heads: 2,
  headDim: 8,
  depth: 1,
  patch: 2,
  sampleSize: 4,
  captionChannels: 4,
  window: [1, 1, 1],
  proxyWindow: [1, 1, 1],
});

async function train(store: RunStore, options: SessionOptions): Promise<void> {
  const training = { ...defaultTraining, batch: 1 };
  const trainer = new Trainer(device, data, Tokenizer.fromCaptions(captions), { model, flow: flowConfig(), training });
  for await (const _ of session(trainer, store, options));
  trainer.dispose();
}

describe("a run that is kept in a folder", () => {
  it("goes on in a later process, and is byte for byte what memory keeps", async () => {
    const memory = memoryStore();
    await train(memory, { steps: 22, prompts: [] });
    const path = join(base, "made", "for it");
    for (const options of [{ steps: 22, stopAt: 12 }, {}]) {
      const store = await folderStore(path);
      await train(store, { ...options, prompts: ["a", "b"] });
      await store.release();
    }
    expect(readdirSync(path).sort()).toEqual(["checkpoint.safetensors", "log.jsonl", "loss.png", "samples"]);
    expect(readdirSync(join(path, "samples"))).toEqual(["step-000022.png"]);
    expect(readFileSync(join(path, "checkpoint.safetensors")).equals(memory.checkpoint!)).toBe(true);
    const lines = readFileSync(join(path, "log.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).step)).toEqual([10, 12, 12, 20, 22]);
  });

  it("keeps its log as a table too, with the same rows whatever was lost and resumed", async () => {
    const path = join(base, "table");
    const at = (name: string) => join(path, name);
    const taken = async (options: SessionOptions, kept: FolderStoreOptions = {}) => {
      const store = await folderStore(path, kept);
      await train(store, { ...options, prompts: [] });
      await store.release();
    };
    const table = () => parseTable(readFileSync(at("log.csv"), "utf8")).map(({ cells }) => cells);
    const steps = () => table().map(([step]) => step);
    await taken({ steps: 33, stopAt: 12 });
    expect(existsSync(at("log.csv"))).toBe(false);
    // Asked for later it has what came before, and goes on unasked.
    await taken({ stopAt: 22 }, { csv: true });
    expect(steps()).toEqual(["step", "10", "12", "20", "22"]);
    const checkpoint = readFileSync(at("checkpoint.safetensors"));
    await taken({ stopAt: 31 });
    expect(steps()).toEqual(["step", "10", "12", "20", "22", "30", "31"]);
    // As after a kill: the checkpoint is behind its logs, of which the last line was cut.
    writeFileSync(at("checkpoint.safetensors"), checkpoint);
    writeFileSync(at("log.csv"), readFileSync(at("log.csv"), "utf8").slice(0, -30));
    await taken({});
    expect(steps()).toEqual(["step", "10", "12", "20", "22", "30", "33"]);
    const [head, ...rows] = table();
    expect(head).toEqual([
      ...["step", "loss", "smoothedLoss", "gradientNorm", "lr", "imagesPerSecond"],
      ...Array.from({ length: 10 }, (_, bin) => `loss${bin}`),
    ]);
    const lines = readFileSync(at("log.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const [i, line] of lines.filter(({ loss }) => loss !== undefined).entries()) {
      const { step, loss, smoothedLoss, gradientNorm, lr, imagesPerSecond, lossByTimestep } = line;
      const numbers = [step, loss, smoothedLoss, gradientNorm, lr, imagesPerSecond, ...lossByTimestep];
      expect(rows[i]).toEqual(numbers.map((number) => (number === null ? "" : String(number))));
    }
  });

  it("leaves another table of that name as it is, and says so when asked for its own", async () => {
    const path = join(base, "mine");
    mkdirSync(path);
    writeFileSync(join(path, "log.csv"), "day,mood\n");
    const store = await folderStore(path);
    await store.openLog(0);
    await store.append({ step: 1, resumed: {}, settings: {} });
    await store.release();
    const own = await folderStore(path, { csv: true });
    await expect(own.openLog(0)).rejects.toThrow(FileError);
    await expect(own.openLog(0)).rejects.toThrow(/log\.csv: is there already, and is no log of a run/);
    await own.release();
    expect(readFileSync(join(path, "log.csv"), "utf8")).toBe("day,mood\n");
  });

  it("knows its options", async () => {
    await expect(folderStore(join(base, "none"), Object({ tsv: true }))).rejects.toThrow(ConfigError);
    expect(existsSync(join(base, "none"))).toBe(false);
  });

  it("is held by one at a time, and leaves nothing where nothing was kept", async () => {
    const path = join(base, "held");
    const store = await folderStore(path);
    await expect(folderStore(path)).rejects.toThrow("is in use by process");
    expect(await store.last()).toBeUndefined();
    expect(await store.holds(0)).toBe(false);
    await store.release();
    expect(existsSync(path)).toBe(false);
  });
});
