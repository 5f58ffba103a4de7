import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigError, FormatError } from "../../src/base/errors.js";

import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.js";
import {
  averagedPipeline,
  loadCheckpoint,
  loadRunDescription,
  readCheckpoint,
  saveCheckpoint,
} from "../../src/node/checkpoint.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

const old = fileURLToPath(new URL("../fixtures/runs/format-1/checkpoint.safetensors", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ptdit-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "checkpoint.safetensors");

const file = readSafetensors(readFileSync(old), "old");
const described = JSON.parse(file.metadata.run);
/** The old run as this version describes it. */
const { run: rewritten } = readCheckpoint(readFileSync(old));

/** Writes the old file with another description. */
function withRun(run: string | undefined, format = file.metadata.format): void {
  const tensors = new Map([...file.tensors].map(([name, { shape, data }]) => [name, { shape, data }]));
  writeFileSync(path, writeSafetensors(tensors, { format, ...(run !== undefined && { run }) }));
}

describe("a checkpoint of an earlier version", () => {
  it("is read whole, and written in today's words with the same numbers", async () => {
    const { run, state } = await loadCheckpoint(old);
    const { giim: _, tcm: __, shiftedWindows: ___, checkpointing, ...model } = described.model;
    // What came later is as it was then: the model of the paper, trained by AdamW.
    const { optimizer, muonIterations, stratified, mirror, shift, horizons, huber } = defaultTraining;
    const later = { optimizer, muonIterations, stratified, mirror, shift, horizons, huber };
    const training = { ...described.training, checkpointing, ...later };
    const flow = { ...described.flow, sampleRatio: described.flow.ratio };
    expect(optimizer).toBe("adamW");
    expect(run).toEqual({ ...described, model: ptditConfig(model), flow, training });
    expect([...new Set([...state.keys()].map((name) => name.split(".")[0]))]).toEqual(["weights", "average", "optimizer"]);
    await saveCheckpoint(path, { run, state });
    const { metadata, tensors } = readSafetensors(readFileSync(path), "new");
    expect(metadata).toEqual({ format: "ptdit-checkpoint-2", run: JSON.stringify(run) });
    expect(tensors).toEqual(file.tensors);
    expect(await loadCheckpoint(path)).toEqual({ run, state });
  });

  it.each<[object, string]>([
    [{}, "proxy"],
    [{ shiftedWindows: false }, "proxyUnshifted"],
    [{ tcm: false }, "proxyAlone"],
    [{ tcm: false, shiftedWindows: false }, "proxyAlone"],
    [{ giim: false }, "windows"],
    [{ giim: false, shiftedWindows: false }, "windowsUnshifted"],
    [{ giim: false, tcm: false }, "none"],
    [{ mixing: "full" }, "full"],
    [{ mixing: "full", giim: false }, "full"],
  ])("with %j is one of mixing %s", async (switches, mixing) => {
    withRun(JSON.stringify({ ...described, model: { ...described.model, ...switches, checkpointing: true } }));
    const { model, training } = await loadRunDescription(path);
    expect([model.mixing, training.checkpointing]).toEqual([mixing, true]);
  });

  it("gives its averaged weights alone", async () => {
    const whole = await loadCheckpoint(old);
    const part = await loadCheckpoint(old, { parts: ["average"] });
    expect(part.state.size).toBe([...whole.state.keys()].filter((name) => name.startsWith("average.")).length);
    const numbers = [...averagedPipeline(part).parameters()].map(([name]) => part.state.get(`average.${name}`)?.data);
    expect(numbers).toEqual(
      [...averagedPipeline(whole).parameters()].map(([name]) => whole.state.get(`average.${name}`)?.data),
    );
    expect(await loadRunDescription(old)).toEqual(whole.run);
  });

  it("is the same read from bytes, as a browser has them", async () => {
    for (const parts of [undefined, ["average"] as const])
      expect(readCheckpoint(readFileSync(old), "file", { ...(parts && { parts }) })).toEqual(
        await loadCheckpoint(old, { ...(parts && { parts }) }),
      );
    expect(() => readCheckpoint(new TextEncoder().encode("<html>"), "file")).toThrow(FormatError);
  });
});

describe.each([
  ["of format 1", "ptdit-checkpoint-1", described],
  ["as it is written now", "ptdit-checkpoint-2", rewritten],
])("a damaged description of a run %s", (_, format, described) => {
  const refused = async (run: string | undefined, message: RegExp) => {
    withRun(run, format);
    const failure = loadCheckpoint(path);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
    const text = String(await failure.catch((error: Error) => error.message));
    expect(text).not.toContain("\n");
    expect(text.length).toBeLessThan(500);
  };
  const changed = (path: string, value?: unknown) => {
    const run = structuredClone(described);
    const names = path.split(".");
    const last = names.pop()!;
    const owner = names.reduce((part, name) => part[name], run);
    if (value === undefined) delete owner[last];
    else owner[last] = value;
    return JSON.stringify(run);
  };
  // Runs of versions that had no choice lack these.
  const later = new Set([
    ...[
      "model.overlap",
      "model.pooledCaption",
      "model.pooledHidden",
      "model.qkNorm",
      "model.norm",
      "model.mlp",
      "flow.sampleRatio",
    ],
    ...[
      "training.optimizer",
      "training.muonIterations",
      "training.stratified",
      "training.mirror",
      "training.shift",
      "training.horizons",
      "training.huber",
    ],
  ]);
  const parts = Object.entries(described).flatMap(([name, value]) =>
    ["model", "flow", "training", "tokenizer"].includes(name)
      ? [name, ...Object.keys(value as object).map((part) => `${name}.${part}`)]
      : [name],
  );

  it.each(parts.filter((name) => !later.has(name)))("without %s names it", (name) =>
    refused(changed(name), new RegExp(name.startsWith("tokenizer") ? "tokenizer" : name.replace(".", "\\."))),
  );
  it.each(parts)("with nonsense for %s names it", (name) =>
    refused(changed(name, { un: "sense" }), new RegExp((name.startsWith("tokenizer") ? "tokenizer" : name).split(".").at(-1))),
  );
  it.each<[string, unknown]>([
    ["step", "abc"],
    ["step", -1],
    ["step", 1.5],
    ["step", null],
    ["steps", 1e300],
    ["size", 0],
    ["size", "32"],
    ["data", ""],
    ["data", 5],
    ["smoothedLoss", "low"],
    ["training.batch", 0],
    ["training.lr", "1e-3"],
    ["training.seed", -1],
    ["training.accumulate", 1.5],
    ["flow.ratio", null],
    ["flow.prediction", "y"],
    ["flow.sampleRatio", 0],
    ["training.optimizer", "sgd"],
    ["training.muonIterations", 9],
    ["model.overlap", -1],
    ["model.norm", "batch"],
    ["sampling", { steps: 0 }],
    ["model.depth", "1"],
    ["model.depth", 1e9],
    ["model.mixing", "windowed"],
    [format === "ptdit-checkpoint-1" ? "model.giim" : "training.checkpointing", "yes"],
    ["model.window", [1, 2]],
    ["model.window", "1,2,2"],
    ["model.captionChannels", "wide"],
    ["tokenizer.length", 1e9],
    ["tokenizer.words", ["a", "a"]],
    ["secondsLeft", "long"],
    ["captions", "long"],
    ["rehearsal", "emoji"],
    ["rehearsal", { part: 1, sets: [{ data: "emoji" }] }],
    ["rehearsal", { part: 0.5, sets: [] }],
    ["rehearsal", { part: 0.5, sets: [{ data: "" }] }],
    ["rehearsal", { part: 0.5, sets: [{ data: "pets", recursive: 1 }] }],
    ["codec", ""],
    ["encoder", 5],
    ["recipe", ""],
    ["fingerprint", { names: ["a"], captions: "", pictures: "" }],
  ])("with %s = %j names it", (name, value) => refused(changed(name, value), new RegExp(name.split(".").at(-1))));
  it.each([undefined, "", "{", "null", "[]", "5", '"run"'])("that is %j is refused", (run) => refused(run, /run/));
  it("of no checkpoint at all", async () => {
    writeFileSync(path, writeSafetensors(new Map([["a", { shape: [1], data: [1] }]])));
    await expect(loadCheckpoint(path)).rejects.toThrow(/has format undefined/);
    await expect(loadCheckpoint(join(folder, "none"))).rejects.toThrow(ConfigError);
    await expect(loadCheckpoint(folder)).rejects.toThrow(/cannot read .* \(EISDIR\)/);
  });
});
