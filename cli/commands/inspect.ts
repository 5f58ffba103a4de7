import { Command, Option } from "commander";
import { ConfigError } from "../../src/base/errors.js";
import type { Dataset } from "../../src/data/dataset.js";
import { emoji64 } from "../../src/data/emoji64.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { writeFileAtomic } from "../../src/node/atomicFile.js";
import { checkReplaceable } from "../../src/node/replaceable.js";
import type { Program } from "../../src/program/program.js";
import { showGraph } from "../../src/program/showGraph.js";
import { showPlan } from "../../src/program/showPlan.js";
import { type Preset, presetOf } from "../../src/ptdit/presets.js";
import { type Recipe, recipes } from "../../src/ptdit/recipes.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { buildWorkload, captionTokens } from "../../src/ptdit/workload.js";
import { planningOf } from "../device.js";
import { count, device, recipe } from "../options.js";

const declared = new Command("inspect")
  .description("a program call by call, its graph or its memory plan, without running it")
  .option("--preset <name>", "model (see ptdit presets)", "nano")
  .addOption(
    new Option("--mode <name>", "a trainer's whole step, a forward pass, or a sampler's step")
      .choices(["train", "forward", "sample"])
      .default("train" as const),
  )
  .addOption(recipe())
  .option("--batch <count>", "pictures a step", count("batch"))
  .option("--words <count>", "words that the trainer reads of a caption (default: as the quick start)", count("words"))
  .option("--program", "a line a call: what it touches, its work, what it writes over (the default)")
  .addOption(new Option("--graph", "a line a node, as it was recorded").conflicts("program"))
  .addOption(new Option("--plan", "the arena drawn, its peak, every buffer's place and life").conflicts(["program", "graph"]))
  .option("--dot <file>", "also write the graph for Graphviz")
  .addOption(new Option("--json", "print one JSON object").conflicts(["program", "graph", "plan"]))
  .addOption(device());

/** What `ptdit inspect` was given. */
export type InspectOptions = ReturnType<typeof declared.opts>;

/** Programs of a mode as they would run; nothing is allocated for them. */
interface Inspected {
  readonly program: Program;
  /** What a sampler computes once for all its steps. */
  readonly preparation?: Program;
  /** Numbers in the model's weights. */
  readonly parameters: number;
}

/** `ptdit inspect`: a graph, a program or a memory plan, without running anything. */
export async function inspect({ json, dot, ...options }: InspectOptions): Promise<void> {
  if (options.device === "auto")
    throw new ConfigError(
      "inspect: --device auto takes the device that is faster, and nothing runs here. Give the one that the program is for: wasm, webgpu or reference.",
    );
  if (dot !== undefined) await checkReplaceable(dot, "dot file");
  const inspected = inspectedOf(options);
  const { program, preparation, parameters } = inspected;
  if (dot !== undefined) {
    await writeFileAtomic(dot, new TextEncoder().encode(`${showGraph(program.anatomy.roots, { format: "dot" })}\n`));
    process.stderr.write(`graph: ${dot} (draw it with: dot -Tsvg)\n`);
  }
  if (json) {
    const before = preparation && { preparation: described(preparation) };
    console.log(JSON.stringify({ ...described(program), parameters, ...before }));
    return;
  }
  const shown = options.graph ? "graph" : options.plan ? "plan" : "program";
  const show = { graph: (own: Program) => showGraph(own.anatomy.roots), plan: showPlan, program: String }[shown];
  if (preparation) console.log(`once, before the first step\n${show(preparation)}\n\na step`);
  console.log(show(program));
}

function inspectedOf({ preset: name, mode, recipe, batch, words, device }: Omit<InspectOptions, "json" | "dot">): Inspected {
  const planning = planningOf(device);
  const preset = presetOf(name);
  if (mode !== "train" && words !== undefined)
    throw new ConfigError(
      `inspect: --words ${words} is of the trainer's captions, those of --mode ${mode} have ${captionTokens} tokens. Leave it out, or choose --mode train.`,
    );
  if (mode !== "train") return buildWorkload(planning, preset, { mode, recipe, ...(batch && { batch }) });
  const { flow, training: usual, ...own }: Recipe = recipes[recipe];
  if (preset.kind === "classes") {
    throw new ConfigError(
      `inspect: the trainer reads captions, and ${name} has classes: it has no training step. Choose --mode forward or sample.`,
    );
  }
  const model = { ...preset.config, ...own.model(preset.config) };
  const training = { ...usual, batch: batch ?? preset.batch };
  const { trainer, parameters } = trainerOf(planning, preset, { model, flow, training }, words);
  return { program: trainer.stepProgram, parameters };
}

/** The trainer of the quick start's captions; of its samples only their shape matters. */
function trainerOf(
  device: ConstructorParameters<typeof Trainer>[0],
  { side: size, config }: Preset,
  options: ConstructorParameters<typeof Trainer>[3],
  words: number | undefined,
) {
  const captions = emoji64;
  const shape = [config.inChannels, 1, size, size] as const;
  const data: Dataset = { name: "none", shape, captions, count: captions.length, sample: async () => new Float32Array() };
  const tokenizer = Tokenizer.fromCaptions(captions, { ...(words && { length: words }) });
  const trainer = new Trainer(device, data, tokenizer, options);
  return { trainer, parameters: trainer.model.parameterCount };
}

/** A program in numbers. */
function described(program: Program) {
  const { calls, intervals, held } = program.anatomy;
  const steps = calls.map(({ operands, overwrites, ...call }) => ({
    ...call,
    operands: operands.map(({ regions, ...own }) => ({ ...own, regions: regions.map(({ name }) => name) })),
    overwrites: overwrites.map(({ name }) => name),
  }));
  const plan = held.map(({ name, stay }) => ({ name, ...stay }));
  const { bytes } = program;
  return { calls: calls.length, intervals, arenaBytes: bytes.arena, bytes, steps, plan };
}

export const inspectCommand = declared.action(inspect);
