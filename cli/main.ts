#!/usr/bin/env node
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { bench, benchParts } from "../bench/index.js";
import { PtditError } from "../src/base/errors.js";
import { emojiSets } from "../src/node/emoji.js";
import { predictions } from "../src/ptdit/paths/index.js";
import { presetAliases, presetNames } from "../src/ptdit/presets.js";
import { defaultSampleEvery, defaultSaveEvery, defaultSteps } from "../src/ptdit/session/options.js";
import { solverNames } from "../src/ptdit/solvers/index.js";
import { inspect } from "./commands/inspect.js";
import { completion, type Shell, shellNames } from "./completion/index.js";
import { evaluate } from "./evaluate.js";
import { info } from "./info.js";
import { listPresets } from "./presets.js";
import { profile } from "./profile.js";
import { quickstart } from "./quickstart.js";
import { sample } from "./sample.js";
import { watchOutput } from "./stopRequest.js";
import { train } from "./train.js";
import { defaultPreset } from "./trainOptions.js";
import { verify } from "./verify.js";

/** A number within bounds, or an error that says so. */
const number =
  (what: string, { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY, whole = false } = {}) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      throw new InvalidArgumentError(
        `${what} must be a ${whole ? "whole " : ""}number${least > Number.NEGATIVE_INFINITY ? ` of at least ${least}` : ""}${most < Number.POSITIVE_INFINITY ? ` and at most ${most}` : ""}.`,
      );
    }
    return value;
  };
const count = (what: string) => number(what, { least: 1, whole: true });
const window = (text: string): [number, number, number] => {
  const sizes = text.split(",").map(Number);
  if (sizes.length !== 3 || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new InvalidArgumentError("a window is frames,rows,columns in tokens, e.g. 1,2,2.");
  }
  return sizes as [number, number, number];
};
const device = () => new Option("--device <name>", "where to compute").choices(["wasm", "reference"]).default("wasm");
const threads = () => new Option("--threads <count>", "threads (default: all cores)").argParser(count("threads"));
const vectors = () =>
  new Option("--vectors <build>", "build of the kernels (default: the fastest here; paired: needs Node 24)").choices([
    "simd",
    "relaxed",
    "paired",
  ]);
const seedOption = (usual = " (default: 0)") =>
  new Option("--seed <number>", `seed of all random numbers${usual}`).argParser(
    number("seed", { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true }),
  );
const seed = () => seedOption("").default(0);

const program = new Command("ptdit")
  .description("Train and sample PT-DiT, the Proxy-Tokenized Diffusion Transformer, anywhere JavaScript runs.")
  .version("0.1.0")
  .showHelpAfterError("(see ptdit --help)");

program
  .command("train")
  .description("train a text-to-picture model")
  .option("--data <set>", "emoji, emoji:core, emoji:64, or a folder of pictures with captions (a resumed run knows its own)")
  .option("--recursive", "read the pictures of the folder's sub-folders too")
  .option("--preset <name>", `model, see ptdit presets (default: ${defaultPreset})`)
  .addOption(
    new Option("--steps <count>", `steps in all (default: ${defaultSteps})`).argParser(count("steps")).conflicts("minutes"),
  )
  .addOption(
    new Option("--minutes <time>", "train for about this long, from now on").argParser(number("minutes", { least: 0.01 })),
  )
  .addOption(new Option("--stop-at <step>", "save and end at this step, as Ctrl-C would").argParser(count("stop-at")))
  .addOption(new Option("--batch <count>", "pictures a step").argParser(count("batch")))
  .addOption(new Option("--accumulate <parts>", "compute a batch in parts, to save memory").argParser(count("accumulate")))
  .addOption(new Option("--lr <rate>", "highest learning rate").argParser(number("lr", { least: 1e-12 })))
  .addOption(
    new Option("--warmup <steps>", "steps of linear rise to it").argParser(number("warmup", { least: 0, whole: true })),
  )
  .addOption(
    new Option("--hold <part>", "part of the steps after which it falls").argParser(number("hold", { least: 0, most: 1 })),
  )
  .addOption(
    new Option("--floor <part>", "part of it that is left at the end").argParser(number("floor", { least: 0, most: 1 })),
  )
  .addOption(new Option("--clip <norm>", "largest norm of the gradient").argParser(number("clip", { least: 1e-12 })))
  .addOption(new Option("--window <f,h,w>", "window in tokens").argParser(window))
  .addOption(new Option("--patch <pixels>", "side of a patch").argParser(count("patch")))
  .addOption(new Option("--size <pixels>", "side of the pictures").argParser(count("size")))
  .addOption(new Option("--prediction <kind>", "what the model predicts").choices(predictions))
  .addOption(
    new Option("--ratio <r>", "timestep transform: above 1 trains more on noise").argParser(number("ratio", { least: 1e-6 })),
  )
  .option("--checkpointing", "recompute blocks in the backward pass: less memory, more time")
  .option("--no-checkpointing", "keep what blocks computed")
  .option("--out <folder>", "where the run is kept (default: runs/<data>-<preset>)")
  .option("--resume", "go on with the run in that folder; options that differ from its own take effect, or are refused")
  .option("--accept-changed-data", "resume although the data is not what it was")
  .addOption(
    new Option("--save-every <steps>", `steps between checkpoints (default: ${defaultSaveEvery})`).argParser(
      count("save-every"),
    ),
  )
  .addOption(
    new Option("--sample-every <steps>", `steps between sample grids (default: ${defaultSampleEvery})`).argParser(
      count("sample-every"),
    ),
  )
  .addOption(seedOption())
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .action(async (options) => void (await train(options)));

program
  .command("sample")
  .description("draw pictures from text")
  .requiredOption("--run <run>", "a trained run: its folder, or its checkpoint")
  .requiredOption("--prompt <text...>", "a picture for each, or --count of them")
  .option("--negative <text>", "what to stay away from", "")
  .addOption(new Option("--steps <count>", "denoising steps").argParser(count("steps")).default(30))
  .addOption(
    new Option("--guidance <scale>", "how closely to follow the text; 1: no guidance")
      .argParser(number("guidance", { least: 0 }))
      .default(3),
  )
  .addOption(new Option("--method <name>", "integrator").choices(solverNames).default("euler"))
  .addOption(seed())
  .addOption(
    new Option("--count <pictures>", "pictures a prompt; picture i depends on prompt, seed and i alone")
      .argParser(count("count"))
      .default(1),
  )
  .option("--out <file>", "where to write: .png or .jpg (default: sample.png in the run); with --separate a folder")
  .option("--separate", "write a file a picture, in its own size (default: pictures/ in the run)")
  .option("--strip", "draw the denoising from noise to picture, one row a picture")
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .action((options) => sample(options));

program
  .command("eval")
  .description("is the training picture nearest to each sample the right one?")
  .requiredOption("--run <run>", "a trained run: its folder, or its checkpoint")
  .addOption(new Option("--steps <count>", "denoising steps").argParser(count("steps")).default(30))
  .addOption(new Option("--guidance <scale>", "guidance").argParser(number("guidance", { least: 0 })).default(3))
  .addOption(seed())
  .option("--json", "print one JSON object")
  .option("--grid <file>", "also write the samples as a PNG, under their captions")
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .action((options) => evaluate(options));

program
  .command("verify")
  .description("check the engine against fixtures of an independent implementation")
  .argument("<files...>", "safetensors fixtures")
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .action((files, options) => verify(files, options));

program
  .command("profile")
  .description("where a step's time goes, by kernel and by module")
  .option("--preset <name>", "workload (see ptdit presets)", "small")
  .addOption(new Option("--mode <name>", "what to run").choices(["forward", "train", "sample"]).default("train"))
  .addOption(new Option("--batch <count>", "pictures a step").argParser(count("batch")))
  .option("--trace <file>", "also write a Chrome trace")
  .addOption(threads())
  .addOption(vectors())
  .action((options) => profile(options));

program
  .command("inspect")
  .description("a program call by call, its graph or its memory plan, without running it")
  .option("--preset <name>", "model (see ptdit presets)", "nano")
  .addOption(
    new Option("--mode <name>", "a trainer's whole step, a forward pass, or a sampler's step")
      .choices(["train", "forward", "sample"])
      .default("train"),
  )
  .addOption(new Option("--batch <count>", "pictures a step").argParser(count("batch")))
  .addOption(new Option("--program", "a line a call: what it touches, its work, what it writes over (the default)"))
  .addOption(new Option("--graph", "a line a node, as it was recorded").conflicts("program"))
  .addOption(new Option("--plan", "the arena drawn, its peak, every buffer's place and life").conflicts(["program", "graph"]))
  .option("--dot <file>", "also write the graph for Graphviz")
  .addOption(new Option("--json", "print one JSON object").conflicts(["program", "graph", "plan"]))
  .addOption(device())
  .action((options) => inspect(options));

program
  .command("bench")
  .description("the machine's limits, products, ops and four workloads, PT-DiT and full attention, on one thread and on two")
  .addOption(new Option("--only <part...>", "some parts").choices(benchParts))
  .addOption(
    new Option("--seconds <time>", "time for each measurement").argParser(number("seconds", { least: 0.01 })).default(5),
  )
  .option("--peers", "also time other engines (see bench/peers)")
  .option("--json", "print one JSON object")
  .addOption(vectors())
  .action((options) => bench(options));

program
  .command("presets")
  .description("models by name, with their parameter counts beside the paper's")
  .option("--json", "print one JSON array")
  .action((options) => listPresets(options));
program
  .command("info")
  .description("device, SIMD level, threads, and why")
  .option("--json", "print one JSON object")
  .addOption(threads())
  .addOption(vectors())
  .action((options) => info(options, program.version() ?? ""));
program
  .command("quickstart")
  .description("train on 64 emoji for about eight minutes, then draw them all")
  .addOption(new Option("--minutes <time>", "training time").argParser(number("minutes", { least: 0.01 })).default(8))
  .option("--out <folder>", "where the run is kept", "runs/quickstart")
  .addOption(threads())
  .addOption(vectors())
  .action((options) => quickstart(options));

program
  .command("completion")
  .description("a script that completes all of this in a shell: source <(ptdit completion bash)")
  .addArgument(new Argument("<shell>", "which").choices(shellNames))
  .action((shell: Shell) =>
    completion(shell, program, { "--preset": [...presetNames, ...Object.keys(presetAliases)], "--data": emojiSets }),
  );

watchOutput();

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  if (!(error instanceof PtditError) && process.env.PTDIT_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = 1;
}
