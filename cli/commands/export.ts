import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Command, Option } from "commander";
import { FileError } from "../../src/base/errors.js";
import { type Checkpoint, loadCheckpoint, saveModel, weightTypes } from "../../src/node/checkpoint.js";
import { isEmojiSet } from "../../src/node/emoji.js";
import { makeFolder } from "../../src/node/makeFolder.js";
import { SafetensorsReader } from "../../src/node/safetensorsFile.js";
import { averageOf } from "../../src/ptdit/exportModel.js";
import { horizon } from "../options.js";
import { filesOf } from "../run.js";

const declared = new Command("export")
  .description("write a run's model alone, small enough to pass on: --run of other commands takes the file")
  .requiredOption("--run <run>", "a trained run: its folder, or its checkpoint")
  .requiredOption("--out <file>", "where to write, such as model.safetensors")
  .addOption(horizon())
  .addOption(new Option("--type <name>", "how weights are kept").choices(weightTypes).default("f16" as const));

/** What `ptdit export` was given. */
export type ExportOptions = ReturnType<typeof declared.opts>;

/** `ptdit export`: the averaged weights of a run with its description. Says what they take, and what the type costs them. */
export async function exportRun({ run, out, type, horizon }: ExportOptions): Promise<void> {
  await checkModelFile(out);
  const part = horizon === undefined ? "average" : "horizons";
  const checkpoint = averageOf(await loadCheckpoint((await filesOf(run)).checkpoint, { parts: [part] }), horizon);
  await makeFolder(dirname(out));
  await saveModel(out, checkpoint, { type });
  const { size } = await stat(out);
  const { weights, error } = compared(checkpoint, await loadCheckpoint(out));
  const loss = error === 0 ? "as they were" : `off by ${(100 * error).toPrecision(2)} % (root of squares)`;
  warnPrivate(checkpoint);
  console.log(`${out}: ${(size / 1e6).toFixed(1)} MB, ${weights.toLocaleString("en-US")} weights as ${type}, ${loss}`);
}

/** Says what of a person's own pictures the file tells whoever gets it. */
function warnPrivate({ run: { data, fingerprint, tokenizer } }: Checkpoint): void {
  if (isEmojiSet(data)) return;
  const names = fingerprint ? `, the names of its ${fingerprint.names.length} pictures` : "";
  process.stderr.write(
    `note: the file tells the folder it learned from, ${data}${names} and the ${tokenizer.words.length} words of their captions.\n`,
  );
}

/** Sees to it that nothing is overwritten but an exported model: a run's checkpoint holds more than its model.
 *  @throws FileError when something else is there */
async function checkModelFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size === 0) return;
  const reader = await SafetensorsReader.open(path).catch(() => undefined);
  await reader?.close();
  if (reader?.metadata.weights === undefined)
    throw new FileError(`${path}: is there already, and is no exported model: it is not replaced. Choose another name.`);
}

/** How many weights there are, and how far those that were read again are from them, as a part of their size. */
function compared({ state }: Checkpoint, again: Checkpoint): { readonly weights: number; readonly error: number } {
  let [weights, error, size] = [0, 0, 0];
  for (const [name, { data }] of state) {
    const own = again.state.get(name)?.data ?? [];
    weights += data.length;
    for (let i = 0; i < data.length; i++) {
      error += (data[i] - own[i]) ** 2;
      size += data[i] ** 2;
    }
  }
  return { weights, error: Math.sqrt(error / size) };
}

export const exportCommand = declared.action(exportRun);
