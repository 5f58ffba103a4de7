import { Command, Option } from "commander";
import { captionKinds } from "../../src/data/richCaptions.js";
import { mixingNames } from "../../src/ptdit/mixing.js";
import { predictions } from "../../src/ptdit/paths/index.js";
import { recipeNames } from "../../src/ptdit/recipes.js";
import { defaultSampleEvery, defaultSaveEvery, defaultSteps } from "../../src/ptdit/session/options.js";
import { count, device, listOf, minutes, number, seedOption, threads, tune, vectors, windowSizes } from "../options.js";
import { defaultPreset } from "../training/newRun.js";
import { train } from "../training/train.js";

const declared = new Command("train")
  .description("train a text-to-picture model")
  .option("--data <set>", "emoji, emoji:core, emoji:64, or a folder of pictures with captions (a resumed run knows its own)")
  .option("--recursive", "read the pictures of the folder's sub-folders too")
  .addOption(
    new Option(
      "--captions <kind>",
      "what captions are made of: names, or also tags, kind, colours and ground (default: name)",
    ).choices(captionKinds),
  )
  .option("--from <model>", "begin from what a model has learned: a run, an exported model, or one that comes with ptdit")
  .option(
    "--rehearse <part>",
    "part of each batch that repeats what that model knows (default: 0.5 where it can be loaded)",
    number("rehearse", { least: 0, most: 0.999 }),
  )
  .option("--preset <name>", `model, see ptdit presets (default: ${defaultPreset})`)
  .addOption(
    new Option("--recipe <name>", "how it learns and draws (default: by how many pictures there are)").choices(recipeNames),
  )
  .addOption(
    new Option("--steps <count>", `steps in all (default: ${defaultSteps})`).argParser(count("steps")).conflicts("minutes"),
  )
  .option("--minutes <time>", "train for about this long, from now on", minutes)
  .option("--stop-at <step>", "save and end at this step, as Ctrl-C would", count("stop-at"))
  .option("--batch <count>", "pictures a step", count("batch"))
  .option("--accumulate <parts>", "compute a batch in parts, to save memory", count("accumulate"))
  .option("--lr <rate>", "highest learning rate", number("lr", { least: 1e-12 }))
  .option("--warmup <steps>", "steps of linear rise to it", number("warmup", { least: 0, whole: true }))
  .option("--hold <part>", "part of the steps after which it falls", number("hold", { least: 0, most: 1 }))
  .option("--floor <part>", "part of it that is left at the end", number("floor", { least: 0, most: 1 }))
  .addOption(new Option("--optimizer <name>", "what takes the steps").choices(["muon", "adamW"]))
  .option("--clip <norm>", "largest norm of the gradient", number("clip", { least: 1e-12 }))
  .option(
    "--weight-decay <rate>",
    "how much the blocks' matrices shrink, times the rate of a step",
    number("weight decay", { least: 0 }),
  )
  .option(
    "--huber <size>",
    "errors above it count by their size, not their square: cleaner grounds, e.g. 0.03",
    number("huber", { least: 0 }),
  )
  .option(
    "--horizons <parts>",
    "also average the weights over such parts of the run, e.g. 0.05,0.1",
    listOf(number("horizons")),
  )
  .addOption(
    new Option(
      "--mixing <kind>",
      "how tokens see each other: proxy is PT-DiT, full the block it is held against (default: proxy)",
    ).choices(mixingNames),
  )
  .option("--window <f,h,w>", "window in tokens", windowSizes)
  .option("--patch <pixels>", "side of a patch", count("patch"))
  .option("--size <pixels>", "side of the pictures", count("size"))
  .addOption(new Option("--prediction <kind>", "what the model predicts").choices(predictions))
  .option("--loc <x>", "mean of the normal number whose sigmoid is a picture's part of noise", number("loc"))
  .option("--scale <x>", "its standard deviation", number("scale", { least: 1e-6 }))
  .option("--ratio <r>", "timestep transform after that: above 1 trains more on noise", number("ratio", { least: 1e-6 }))
  .option("--sample-ratio <r>", "the same of a sampler's steps", number("sample-ratio", { least: 1e-6 }))
  .option("--mirror", "mirror pictures, half of the times, whose captions name no side")
  .option("--shift <pixels>", "move pictures by up to so many pixels", number("shift", { least: 0, whole: true }))
  .option("--checkpointing", "recompute blocks in the backward pass: less memory, more time")
  .option("--no-checkpointing", "keep what blocks computed")
  .option("--out <folder>", "where the run is kept (default: runs/<data>-<preset>)")
  .option("--resume", "go on with the run in that folder; options that differ from its own take effect, or are refused")
  .option("--accept-changed-data", "resume although the data is not what it was")
  .option("--save-every <steps>", `steps between checkpoints (default: ${defaultSaveEvery})`, count("save-every"))
  .option("--sample-every <steps>", `steps between sample grids (default: ${defaultSampleEvery})`, count("sample-every"))
  .addOption(new Option("--log <form>", "keep the log in this form too, beside log.jsonl").choices(["csv"]))
  .addOption(seedOption())
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .addOption(tune());

/** What `ptdit train` was given; nothing is filled in, so that a resumed run can tell what was asked for. */
export type TrainOptions = Partial<ReturnType<typeof declared.opts>>;

export const trainCommand = declared.action(async (options) => void (await train(options)));
