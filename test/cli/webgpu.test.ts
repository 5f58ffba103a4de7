import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { info } from "../../cli/commands/info.js";
import { profile } from "../../cli/commands/profile.js";
import { sample } from "../../cli/commands/sample.js";
import type { TrainOptions } from "../../cli/commands/train.js";
import type { DeviceName } from "../../cli/device.js";
import { webgpu } from "../../src/backend/webgpu/open.js";
import { decodePng } from "../../src/pictures/png.js";
import { withoutWebGpu } from "../webgpu.js";
import { logOf, printed, trained } from "./inProcess.js";

vi.mock("../../src/backend/webgpu/open.js", { spy: true });

/** A software adapter takes minutes to compile a model of more. */
const small: TrainOptions = { data: "emoji:64", preset: "tiny", window: [1, 2, 2], size: 16, patch: 8, batch: 2 };

const folder = mkdtempSync(join(tmpdir(), "ptdit-webgpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(withoutWebGpu !== undefined)("--device webgpu", () => {
  it("trains, and a run moves between devices as if it had stayed on one", async () => {
    /** The smoothed loss of a run whose steps 1-2 and 3 are taken on these devices. */
    const lossOf = async (first: DeviceName, second: DeviceName): Promise<number> => {
      const out = join(folder, `${first} ${second}`);
      // It never comes to its last step, at which it would draw: a sampler's shaders take as long again to compile.
      await trained({ ...small, out, device: first, steps: 4, stopAt: 2, lr: 1e-3 });
      await trained({ out, resume: true, device: second, stopAt: 3 });
      return Number(logOf(out).at(-1)?.smoothedLoss);
    };
    const want = await lossOf("wasm", "wasm");
    expect((await lossOf("webgpu", "wasm")) / want).toBeCloseTo(1, 3);
    expect((await lossOf("wasm", "webgpu")) / want).toBeCloseTo(1, 3);
  }, 300_000);

  it("draws with weights of 16 bits what it draws with all their bits, within a level of 255", async () => {
    const run = join(folder, "run");
    await trained({ ...small, out: run, steps: 3, lr: 1e-2 });
    const drawn = async (f16?: true) => {
      const out = join(folder, "drawn.png");
      const how = {
        run,
        prompt: ["red apple"],
        negative: "",
        count: 1,
        steps: 2,
        guidance: 1,
        seed: 0,
        device: "webgpu",
      } as const;
      await printed(() => sample({ ...how, prompt: ["red apple"], out, ...(f16 && { f16 }) }));
      expect(vi.mocked(webgpu).mock.lastCall).toEqual([f16 ? { f16 } : {}]);
      return (await decodePng(readFileSync(out), "drawn.png")).data;
    };
    const [halves, whole] = [await drawn(true), await drawn()];
    expect(halves.length).toBe(whole.length);
    for (const [i, level] of halves.entries()) expect(Math.abs(level - whole[i])).toBeLessThanOrEqual(1);
  }, 120_000);

  it("is profiled beside its limits: dispatches, arithmetic and bytes, and what JavaScript takes", async () => {
    const { out } = await printed(() =>
      profile({ preset: "tiny", mode: "sample", recipe: "baseline", batch: 1, device: "webgpu" }),
    );
    const [first, limits] = out.split("\n");
    expect(first).toMatch(
      /^tiny, sample: \d+ kernel calls in \d+ dispatches, [\d.]+ ms a step, [\d.]+ % of them in JavaScript, on /,
    );
    const [, flop, bytes, dispatches] =
      limits.match(
        /^limits: ([\d.]+) GFLOP at [\d.]+ GFLOP\/s: .* ms, ([\d.]+) GB at [\d.]+ GB\/s: .* ms, (\d+) dispatches at 30 us: [\d.]+ ms$/,
      ) ?? [];
    expect(Number(flop)).toBeGreaterThan(0);
    expect(Number(bytes)).toBeGreaterThan(0);
    expect(first).toContain(`in ${dispatches} dispatches`);
  }, 120_000);

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
