import { Command, Option } from "commander";
import type { Device } from "../../src/backend/device.js";
import { counted } from "../../src/data/skipped.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { defaultRecipe, type RecipeName, recipeNames, recipes } from "../../src/ptdit/recipes.js";
import { type SpeedrunResult, speedrun, speedrunGoal } from "../../src/ptdit/speedrun.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { withDevice } from "../device.js";
import { count, device } from "../options.js";
import { type Progress, showTime, startProgress } from "../show/progress.js";
import { newRun } from "../training/newRun.js";
import { trainingSteps } from "../training/trainingSteps.js";

/** The task. */
const task = { data: "emoji:64", preset: "nano", size: 32, seed: 0 } as const;
/** The build of the kernels whose numbers are the same on every machine, and threads, which change the seconds alone. */
const usual = { vectors: "simd", threads: 2 } as const;

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
const decibels = (psnr: number | null): string => `${psnr?.toFixed(2) ?? "-"} dB`;
const goal = `top-1 ${percent(speedrunGoal.top1)} and PSNR ${decibels(speedrunGoal.psnr)}`;

const declared = new Command("speedrun")
  .description(`how much training until ${goal}, on a fixed task (docs/speedrun.md)`)
  .addOption(new Option("--recipe <name>", "how it learns and draws").choices(recipeNames).default(defaultRecipe))
  .option("--most-steps <count>", "end after these, reached or not (default: the recipe's course)", count("most-steps"))
  .option("--json", "print one JSON object")
  .addOption(device())
  .addOption(
    new Option("--threads <count>", "threads: they change the seconds alone (default: 2)").argParser(count("threads")),
  );

/** What `ptdit speedrun` was given. */
export type SpeedrunCommandOptions = ReturnType<typeof declared.opts>;

/** `ptdit speedrun`: trains the task until its samples are good enough, and says what that took. Exits with 1 where they never are. */
export async function runSpeedrun({ recipe, mostSteps, json, ...where }: SpeedrunCommandOptions): Promise<void> {
  const made = (device: Device) => trainerOf(device, recipe);
  await withDevice({ ...where, usual }, trainingSteps(made), async (device) => {
    const trainer = await made(device);
    // The result goes to stdout; what happens meanwhile beside it.
    const say = (line: string) => (json ? void process.stderr.write(`${line}\n`) : console.log(line));
    try {
      const { multiplyAdds } = trainer.stepProgram;
      const { batch } = trainer.options.training;
      const { device: name, threads } = device.describe();
      const kernels =
        name === "wasm" ? `${usual.vectors} kernels, ${counted(threads, "thread")}` : `on ${name}, whose hash is its own`;
      say(
        `${recipe}: ${task.preset} on ${task.data} at ${task.size} px, seed ${task.seed}, batch ${batch}; ` +
          `${kernels}; ${(multiplyAdds / 1e9).toFixed(2)} G multiply-adds a step`,
      );
      const course = recipes[recipe].speedrun;
      const result = await shown(trainer, { ...course, ...(mostSteps && { mostSteps }) }, say);
      const { reached, ...own } = result;
      if (json) console.log(JSON.stringify({ recipe, ...own }));
      else console.log(`${described(result)}\naveraged weights: ${own.hash}`);
      if (!reached) process.exitCode = 1;
    } finally {
      trainer.dispose();
    }
  });
}

/** What takes the steps of the task. */
export async function trainerOf(device: Device, recipe: RecipeName): Promise<Trainer> {
  const { run, data } = await newRun({ ...task, recipe });
  const { model, flow, training, sampling, tokenizer } = run;
  return new Trainer(device, data, Tokenizer.fromJSON(tokenizer), { model, flow, training, ...(sampling && { sampling }) });
}

/** Runs it with a line of progress; evaluations are said. */
async function shown(
  trainer: Trainer,
  options: Parameters<typeof speedrun>[1],
  say: (line: string) => void,
): Promise<SpeedrunResult> {
  const { mostSteps = options.steps } = options;
  let progress: Progress | undefined;
  try {
    for await (const event of speedrun(trainer, options)) {
      if (event.type === "ended") return event.result;
      if (event.type === "step") {
        progress ??= startProgress(mostSteps, 0, "{bar} {value}/{total} | loss {loss}");
        progress.update(event.report.step, { loss: event.report.loss.toFixed(4) });
        continue;
      }
      // A line of its own, above the next progress line.
      progress?.stop();
      progress = undefined;
      const { top1, psnr } = event.judgement;
      say(`step ${event.step}: top-1 ${percent(top1)}, PSNR ${decibels(psnr)}`);
    }
  } finally {
    progress?.stop();
  }
  throw new Error("a speedrun ended without a result");
}

function described({ reached, steps, multiplyAdds, seconds, top1, psnr }: SpeedrunResult): string {
  return (
    `${reached ? "reached" : `not reached (${goal})`}: ${steps} steps, ${(multiplyAdds / 1e12).toFixed(2)} T multiply-adds, ` +
    `${showTime(seconds)} of training; top-1 ${percent(top1)}, PSNR ${decibels(psnr)}`
  );
}

export const speedrunCommand = declared.action(runSpeedrun);
