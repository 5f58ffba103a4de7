import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { info } from "../../cli/commands/info.js";
import type { DeviceName } from "../../cli/device.js";
import { withoutWebGpu } from "../webgpu.js";
import { logOf, printed, trained } from "./inProcess.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-webgpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(withoutWebGpu !== undefined)("--device webgpu", () => {
  it("trains, and a run moves between devices as if it had stayed on one", async () => {
    /** The smoothed loss of a run whose steps 1-2 and 3 are taken on these devices. */
    const lossOf = async (first: DeviceName, second: DeviceName): Promise<number> => {
      const out = join(folder, `${first} ${second}`);
      const stop = await trained({ data: "emoji:64", out, device: first, size: 16, patch: 8, batch: 2, steps: 2, lr: 1e-3 });
      expect(stop.finished).toBe(true);
      await trained({ out, resume: true, device: second, steps: 3 });
      return Number(logOf(out).at(-1)?.smoothedLoss);
    };
    const want = await lossOf("wasm", "wasm");
    expect((await lossOf("webgpu", "wasm")) / want).toBeCloseTo(1, 3);
    expect((await lossOf("wasm", "webgpu")) / want).toBeCloseTo(1, 3);
    // A software adapter takes seconds for a step of a million weights.
  }, 600_000);

  it("is described by its adapter, features and limits", async () => {
    const { out } = await printed(() => info({ device: "webgpu", json: true }, "1"));
    expect(JSON.parse(out)).toMatchObject({
      device: "webgpu",
      details: { adapter: expect.any(String), features: expect.any(String), limits: expect.stringMatching(/MiB/) },
      target: { tolerances: expect.stringMatching(/0\.0001/) },
    });
  });

  it("is listed by info, and where it is software never the choice of auto", async () => {
    const { out } = await printed(() => info({ json: true, threads: 1 }, "1"));
    const { webgpu, auto } = JSON.parse(out);
    expect(webgpu.adapters[0]).toMatchObject({ adapter: expect.any(String), limits: expect.stringMatching(/MiB/) });
    if (!webgpu.adapters[0].software) return;
    expect(auto).toMatchObject({ device: "wasm", why: expect.stringMatching(/is a software adapter, slower than wasm$/) });
  });

  it("says that threads and vectors are not its own", async () => {
    const { err } = await printed(() => info({ device: "webgpu", threads: 2 }, "1"));
    expect(err).toBe("note: --threads 2: threads and vectors are the wasm device's, not the webgpu device's.\n");
  });
});
