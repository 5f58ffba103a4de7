import { readFile } from "node:fs/promises";
import { ConfigError } from "../src/base/errors.js";
import { readSafetensors } from "../src/io/safetensors.js";
import { verifyFixture } from "../src/ptdit/verify/index.js";
import { type DeviceOptions, withDevice } from "./device.js";

/** `ptdit verify`: worst error of every group in every file; fails when one is above its tolerance. */
export async function verify(files: readonly string[], options: DeviceOptions): Promise<void> {
  let failed = 0;
  await withDevice(options, async (device) => {
    for (const path of files) {
      console.log(`${path} on ${device.name}`);
      for (const { group, count, worst, at, tolerance } of await verifyFixture(
        readSafetensors(await bytesOf(path), path),
        device,
      )) {
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

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ConfigError(`verify: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? "error"}).`);
  }
}
