/** A run in a folder whose GPU is lost under way. */
import { cpSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { Device } from "../../../src/backend/device.js";
import { wasm } from "../../../src/backend/wasm/device.js";
import { DeviceError } from "../../../src/base/errors.js";
import type { GpuDevice } from "../../../src/base/gpu.js";
import { folderStore } from "../../../src/node/run/folderStore.js";
import { runFiles } from "../../../src/node/run/runFiles.js";
import type { SessionOptions } from "../../../src/ptdit/session/options.js";
import { session } from "../../../src/ptdit/session/session.js";
import { smallestTrainer } from "../../ptdit/smallestTrainer.js";
import { at, tree, useTemporaryFolders } from "../../temporaryFolder.js";
import { openWebGpu, withoutWebGpu } from "../../webgpu.js";

useTemporaryFolders();

/** Every file of a run but the lock, which says who is at it. */
const filesOf = (path: string) =>
  Object.fromEntries(
    tree(path)
      .map((name) => [name, `${path}/${name}`])
      .filter(([, file]) => file !== runFiles(path).lock)
      .map(([name, file]) => [name, readFileSync(file).toString("base64")]),
  );

describe.skipIf(withoutWebGpu !== undefined)("a run in a folder whose GPU is lost", () => {
  const devices: Device[] = [];
  afterAll(() => devices.forEach((device) => device.close()));

  /** Takes a run's steps; `saved` is called after each checkpoint. What it comes to: the loss of every step, and the last checkpoint. */
  async function run(device: Device, path: string, options: SessionOptions, saved = () => {}) {
    devices.push(device);
    const [trainer, store] = [smallestTrainer(device), await folderStore(path)];
    const losses = new Map<number, number>();
    try {
      for await (const event of session(trainer, store, { prompts: [], ...options })) {
        if (event.type === "step") losses.set(event.report.step, event.report.loss);
        if (event.type === "saved") saved();
      }
    } finally {
      await store.release();
    }
    return { losses, checkpoint: (await store.last())?.run.step };
  }

  it("leaves its files as they were, and goes on from them on a new GPU or on WASM", async () => {
    const [lost, path] = [await openWebGpu(), at("lost")];
    let files: Readonly<Record<string, string>> = {};
    const ends = run(lost, path, { steps: 6, saveEvery: 2 }, () => {
      files = filesOf(path);
      (Reflect.get(lost, "gpu") as GpuDevice).destroy();
    });
    await expect(ends).rejects.toThrow(DeviceError);
    expect(Object.keys(files)).toContain("checkpoint.safetensors");
    expect(filesOf(path)).toEqual(files);

    const resumed = async (device: Device, name: string) => {
      cpSync(path, at(name), { recursive: true });
      const own = await run(device, at(name), {});
      expect([[...own.losses.keys()], own.checkpoint]).toEqual([[3, 4, 5, 6], 6]);
      return own.losses;
    };
    const want = await resumed(await wasm({ threads: 1 }), "on WASM");
    for (const [step, loss] of await resumed(await openWebGpu(), "on a new GPU"))
      expect(Math.abs(loss / Number(want.get(step)) - 1)).toBeLessThan(1e-3);
    // A software adapter takes long to compile a program on each of two devices.
  }, 600_000);
});
