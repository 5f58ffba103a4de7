import { Command } from "commander";
import type { StepOf } from "../../src/backend/fastest.js";
import { ConfigError, codeOf, FileError } from "../../src/base/errors.js";
import type { SafetensorsFile } from "../../src/io/safetensors.js";
import { readSafetensorsFile } from "../../src/node/safetensorsFile.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";
import { type DeviceOptions, withDevice } from "../device.js";
import { device, threads, tune, vectors } from "../options.js";

/** `ptdit verify`: worst error of every group in every file; fails when one is above its tolerance. */
export async function verify(files: readonly string[], options: DeviceOptions): Promise<void> {
  let failed = 0;
  const step: StepOf = async (device) => {
    const file = await fixture(files[0]);
    return { run: () => verifyFixture(file, device), dispose: () => undefined };
  };
  await withDevice(options, step, async (device) => {
    for (const path of files) {
      console.log(`${path} on ${device.name}`);
      for (const { group, count, worst, at, tolerance } of await verifyFixture(await fixture(path), device)) {
        const ok = worst <= tolerance;
        if (!ok) failed++;
        console.log(
          `  ${ok ? "ok  " : "FAIL"} ${group.padEnd(16)} ${String(count).padStart(4)} checked, worst ${worst.toExponential(1)} (tolerance ${tolerance.toExponential(0)}) at ${at}`,
        );
      }
    }
  });
  if (failed > 0) throw new ConfigError(`verify: ${failed} ${failed === 1 ? "group is" : "groups are"} above tolerance.`);
}

async function fixture(path: string): Promise<SafetensorsFile> {
  try {
    return await readSafetensorsFile(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const code = codeOf(error.cause);
    throw new ConfigError(`verify: cannot read ${path} (${code}). Give a safetensors fixture.`, { cause: error });
  }
}

export const verifyCommand = new Command("verify")
  .description("check the engine against fixtures of an independent implementation")
  .argument("<files...>", "safetensors fixtures")
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .addOption(tune())
  .action(verify);
