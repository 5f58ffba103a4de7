import { FormatError } from "../../base/errors.js";
import type { WrittenType } from "../../io/safetensors.js";
import type { SamplingConfig } from "../../ptdit/sampling.js";
import { loadRunDescription } from "../checkpoint.js";
import { readSafetensorsFile, writeSafetensorsFile } from "../safetensorsFile.js";

/** What checkpoints and exported models are written in. */
const written: readonly WrittenType[] = ["F32", "F16", "BF16", "I32", "I8", "U8"];

/** Writes into a checkpoint or an exported model how it draws where nobody says otherwise. All else stays, its format and its weights
 *  to the last bit. Hold the run's folder meanwhile.
 *  @throws FormatError when the file is damaged or not a checkpoint
 *  @throws ConfigError when there is none
 *  @throws FileError when the disk refuses; the file stays as it was */
export async function keepSampling(path: string, sampling: SamplingConfig): Promise<void> {
  await loadRunDescription(path); // refuses what is none
  const { metadata, tensors } = await readSafetensorsFile(path);
  const run = { ...JSON.parse(metadata.run), sampling };
  const kept = [...tensors].map(([name, { dtype, shape, data }]) => {
    const own = written.find((known) => known === dtype);
    if (!own)
      throw new FormatError(`checkpoint: ${path} holds "${name}" as ${dtype}, which is not written. Export the model anew.`);
    return [name, { shape, data, dtype: own }] as const;
  });
  await writeSafetensorsFile(path, new Map(kept), { ...metadata, run: JSON.stringify(run) });
}
