/** The last measures of a run, kept in its folder. */
import { readFile } from "node:fs/promises";
import type { Retrieval } from "../../ptdit/evaluate.js";
import type { Fidelity } from "../../ptdit/fidelity.js";
import { writeFileAtomic } from "../atomicFile.js";
import { checkReplaceable } from "../replaceable.js";

/** What an evaluation found, of which step of the run, and how it drew its samples. */
export interface RunMeasures extends Pick<Retrieval, "captions" | "top1" | "top5">, Fidelity {
  readonly step: number;
  readonly denoisingSteps: number;
  readonly guidance: number;
  readonly seed: number;
  /** Kernel distance of the samples' features from the real pictures'; null: too few for it, undefined: kept before it was measured. */
  readonly kid?: number | null;
}

/** Whether a measure may be none, of those that must be there. */
const mayBeNone: Readonly<Record<Exclude<keyof RunMeasures, "kid">, boolean>> = {
  ...{ step: false, denoisingSteps: false, guidance: false, seed: false },
  ...{ captions: false, top1: false, top5: false, measured: false },
  ...{ psnr: true, speckle: true, hf: true, seam: true },
};

/** Keeps a run's measures in place of the last.
 *  @throws FileError when the disk refuses, or another program's file is there */
export async function saveMeasures(path: string, { step, ...rest }: RunMeasures): Promise<void> {
  await checkReplaceable(path, "measures of a run");
  // What it begins with tells it from other files.
  await writeFileAtomic(path, new TextEncoder().encode(`${JSON.stringify({ step, ...rest })}\n`));
}

/** A run's last measures; undefined: it was never measured, or what is there are no measures. */
export async function loadMeasures(path: string): Promise<RunMeasures | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  try {
    const json: unknown = JSON.parse(text);
    return isMeasures(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function isMeasures(value: unknown): value is RunMeasures {
  const json: Readonly<Record<string, unknown>> = Object(value);
  const isKid = json.kid === undefined || json.kid === null || Number.isFinite(json.kid);
  return (
    isKid && Object.entries(mayBeNone).every(([name, none]) => Number.isFinite(json[name]) || (none && json[name] === null))
  );
}
