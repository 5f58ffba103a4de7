/** `--device auto`, with the reference device in place of a GPU. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { evaluate } from "../../cli/commands/eval.js";
import { info } from "../../cli/commands/info.js";
import { inspect } from "../../cli/commands/inspect.js";
import { profile } from "../../cli/commands/profile.js";
import { sample } from "../../cli/commands/sample.js";
import { runSweep } from "../../cli/commands/sweep.js";
import type { TrainOptions } from "../../cli/commands/train.js";
import { verify } from "../../cli/commands/verify.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import * as open from "../../src/backend/webgpu/open.js";
import { DeviceError } from "../../src/base/errors.js";
import { logOf, oldRun, printed, trained } from "./inProcess.js";

vi.mock("../../src/backend/webgpu/open.js", { spy: true });
const hardware = vi.mocked(open.hardware);
/** What stands in for a GPU. */
const gpu = async () => reference() as Device as WebGpuDevice;
const none = new DeviceError("webgpu: no adapter was found. Install a Vulkan, Metal or D3D12 driver, or use wasm().");

const folder = mkdtempSync(join(tmpdir(), "ptdit-auto-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void hardware.mockReset().mockImplementation(gpu));

const where = { device: "auto", threads: 1 } as const;
const drawing = { ...where, seed: 0, steps: 1, guidance: 1, method: "euler" } as const;
const chosen = /^device: (wasm|webgpu) \(\d+(\.\d)? ms a step, (wasm|webgpu) \d+(\.\d)? ms; a GPU gains little .*\)$/m;
const tiny: TrainOptions = {
  data: "emoji:64",
  preset: "tiny",
  window: [1, 2, 2],
  size: 16,
  patch: 8,
  batch: 2,
  lr: 1e-3,
};

describe("--device auto", () => {
  it("says what it takes to train and why, and trains as if it had not tried anything before", async () => {
    const [own, wasm] = [join(folder, "auto"), join(folder, "wasm")];
    const { err, out, finished } = await trained({ ...tiny, ...where, steps: 2, out: own });
    expect([finished, err]).toEqual([true, expect.stringMatching(chosen)]);
    expect(out).not.toContain("device:");
    hardware.mockRejectedValue(none);
    const resumed = await trained({ ...where, out: own, resume: true, steps: 3 });
    expect(resumed.err).toContain("device: wasm (webgpu: no adapter was found)\n");
    await trained({ ...tiny, steps: 3, out: wasm });
    const lossOf = (run: string) => Number(logOf(run).at(-1)?.smoothedLoss);
    expect(lossOf(own) / lossOf(wasm)).toBeCloseTo(1, 3);
    expect(logOf(own).find(({ settings }) => settings)).toMatchObject({ settings: { device: "wasm" } });
  });

  it("tries what draws, evaluates and sweeps, and leaves their output as it is", async () => {
    const run = oldRun(join(folder, "run"));
    const sampled = await printed(() => sample({ ...drawing, run, prompt: ["red apple"], negative: "", count: 1 }));
    expect([sampled.out, sampled.err]).toEqual([`${join(run, "sample.png")}\n`, expect.stringMatching(chosen)]);
    const judged = await printed(() => evaluate({ ...drawing, run, json: true }));
    expect([JSON.parse(judged.out).captions > 0, judged.err]).toEqual([true, expect.stringMatching(chosen)]);
    const axes = { solvers: ["euler" as const], steps: [1], guidance: [1] };
    const swept = await printed(() => runSweep({ ...where, ...axes, captions: 2, seed: 0, json: true, run }));
    expect([JSON.parse(swept.out).captions, swept.err]).toEqual([2, expect.stringMatching(chosen)]);
  });

  it("tries a fixture, and a workload", async () => {
    const verified = await printed(() => verify(["test/fixtures/own_zeroinit.safetensors"], where));
    expect([verified.out, verified.err]).toEqual([
      expect.stringMatching(/ on (wasm|reference)\n/),
      expect.stringMatching(chosen),
    ]);
    hardware.mockRejectedValue(none);
    const options = { ...where, preset: "nano", mode: "sample", recipe: "baseline", batch: 1 } as const;
    const profiled = await printed(() => profile(options));
    expect(profiled.out).toMatch(/^nano, sample: \d+ kernel calls/);
    expect(profiled.err).toBe("device: wasm (webgpu: no adapter was found)\n");
  });

  it("is no device to plan for", async () => {
    const options = { preset: "nano", mode: "forward", recipe: "baseline", device: "auto" } as const;
    await expect(inspect(options)).rejects.toThrow(
      "inspect: --device auto takes the device that is faster, and nothing runs here. Give the one",
    );
  });

  it("is told of by info, with the adapters that there are or why there are none", async () => {
    hardware.mockRejectedValue(none);
    const { out } = await printed(() => info({ ...where }, "1"));
    expect(out).toMatch(/^device: wasm\n/);
    expect(out).toMatch(/^webgpu: .+$/m);
    expect(out).toMatch(/^--device auto: wasm \(webgpu: no adapter was found\) for a training step of nano$/m);
    const { out: json } = await printed(() => info({ device: "reference", json: true }, "1"));
    expect(JSON.parse(json)).toMatchObject({
      device: "reference",
      webgpu: { adapters: expect.any(Array) },
      auto: { device: "wasm", why: "webgpu: no adapter was found", measured: "a training step of nano" },
    });
  });
});
