import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type InspectOptions, inspect } from "../../cli/commands/inspect.js";
import { reference } from "../../src/backend/reference/device.js";
import { type WasmDevice, wasm } from "../../src/backend/wasm/device.js";
import { emoji64 } from "../../src/data/emoji64.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import type { Program } from "../../src/program/program.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { presets } from "../../src/ptdit/presets.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";
import { buildWorkload } from "../../src/ptdit/workload.js";
import { ptdit } from "./command.js";
import { printed } from "./inProcess.js";

let device: WasmDevice;
const folder = mkdtempSync(join(tmpdir(), "ptdit-inspect-"));
beforeAll(async () => {
  device = await wasm({ threads: 1 });
});
afterAll(() => {
  device.close();
  rmSync(folder, { recursive: true });
});

const shown = async (options: Partial<InspectOptions>): Promise<string> =>
  (await printed(() => inspect({ preset: "nano", mode: "train", recipe: "baseline", batch: 1, device: "wasm", ...options })))
    .out;
const numbers = async (options: Partial<InspectOptions>) => JSON.parse(await shown({ ...options, json: true }));

/** What JSON says of a program that a device has loaded. */
const loaded = (program: Program) => ({
  calls: program.steps.length,
  intervals: program.intervals,
  arenaBytes: program.bytes.arena,
  bytes: program.bytes,
  steps: program.steps.map((step) => expect.objectContaining(step)),
});

describe("ptdit inspect", () => {
  it("train is the program that a trainer runs", async () => {
    const tokenizer = Tokenizer.fromCaptions(emoji64);
    const { config: model, side: size } = presets.nano;
    const data = new PictureSet({ name: "one", size, captions: ["red apple"], pictures: new Float32Array(3 * size ** 2) });
    const trainer = new Trainer(device, data, tokenizer, {
      model,
      flow: flowConfig(),
      training: { ...defaultTraining, batch: 1 },
    });
    const own = await numbers({});
    expect(own).toMatchObject(loaded(trainer.stepProgram));
    expect(own.parameters).toBe(trainer.model.parameterCount);
    expect(own.steps).toHaveLength(own.calls);
    // Averages and clipping are in it.
    const written = own.steps.flatMap(({ overwrites }: { overwrites: string[] }) => overwrites);
    expect(written).toEqual(expect.arrayContaining([...trainer.stateSource().keys()]));
    expect(own.steps.some(({ scope }: { scope: string }) => scope === "clip")).toBe(true);
    trainer.dispose();
  });

  it("train tells what longer captions cost", async () => {
    const work = async (words?: number) => {
      const { steps } = await numbers({ preset: "tiny", ...(words && { words }) });
      return steps.reduce((all: number, { multiplyAdds }: { multiplyAdds: number }) => all + multiplyAdds, 0);
    };
    const [usual, three, six, nine] = [await work(), await work(3), await work(6), await work(9)];
    expect(usual).toBe(three);
    expect(six).toBeGreaterThan(three);
    expect(nine - six).toBe(six - three);
    await expect(shown({ mode: "sample", words: 3 })).rejects.toThrow(/--words 3 .* --mode sample have 8 tokens/);
  });

  it.each(["forward", "sample"] as const)("%s is the program that is profiled", async (mode) => {
    for (const [name, on] of [
      ["wasm", device],
      ["reference", reference()],
    ] as const) {
      const { program, parameters, dispose } = buildWorkload(on, presets.tiny, { mode, batch: 1 });
      const own = await numbers({ preset: "tiny", mode, device: name });
      expect(own).toMatchObject({ ...loaded(program), parameters });
      expect("preparation" in own).toBe(mode === "sample");
      dispose();
    }
  });

  it("takes no memory for what no machine holds", async () => {
    const { bytes } = await numbers({ preset: "paper-h", mode: "forward" });
    expect(bytes.parameters).toBeGreaterThan(2 ** 32);
  });

  it("prints programs, graphs and plans, and writes the graph for Graphviz", async () => {
    const dot = join(folder, "graph.dot");
    const options = { preset: "tiny", mode: "forward", dot } as const;
    expect(await shown(options)).toMatch(/^program: \d+ calls in \d+ intervals/);
    const written = readFileSync(dot, "utf8");
    expect(written).toMatch(/^digraph \{/);
    expect(await shown({ ...options, graph: true })).toMatch(/ attention\(q #\d+, k #\d+\) .* in blocks\.3\./);
    expect(await shown({ ...options, plan: true })).toMatch(/^arena: \d+ bytes/);
    expect(await shown({ preset: "tiny", mode: "sample" })).toMatch(
      /^once, before the first step\nprogram: [\s\S]*\n\na step\nprogram: /,
    );
  });

  it("refuses what is unknown, contradicts itself, or cannot be written", async () => {
    await expect(shown({ preset: "huge" })).rejects.toThrow(/unknown preset "huge"/);
    await expect(shown({ preset: "paper-s" })).rejects.toThrow(/paper-s has classes: it has no training step\. Choose --mode/);
    const own = join(folder, "thesis.txt");
    writeFileSync(own, "my thesis");
    await expect(shown({ dot: own })).rejects.toThrow(/is there already, and is no dot file/);
    expect(readFileSync(own, "utf8")).toBe("my thesis");
    await expect(shown({ dot: join(folder, "none", "a.dot") })).rejects.toThrow(/ENOENT.*Create the folder first/);
    for (const [args, message] of [
      [["--plan", "--graph"], /option '--plan' cannot be used with option '--graph'/],
      [["--json", "--plan"], /option '--json' cannot be used with option '--plan'/],
    ] as const) {
      const { code, err } = await ptdit(["inspect", ...args]);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(message) });
    }
  });
});
