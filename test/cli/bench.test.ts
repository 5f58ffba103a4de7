import { expect, it } from "vitest";
import { gainNames, gainPreset } from "../../bench/gain.js";
import { bench } from "../../bench/index.js";
import { geometryOf } from "../../bench/peers.js";
import { benchPreset, reducedName } from "../../bench/presets.js";
import { race } from "../../bench/race.js";
import { peerLine, timed } from "../../bench/report.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { webgpuPlanning } from "../../src/backend/webgpu/planning.js";
import { type Preset, presets } from "../../src/ptdit/presets.js";
import { buildWorkload } from "../../src/ptdit/workload.js";

it("the more tokens, the more arithmetic PT-DiT saves over full attention", async () => {
  const device = await wasm({ threads: 1 });
  const multiplyAdds = (preset: Preset, model: "ptdit" | "dit") => {
    const workload = buildWorkload(device, preset, { model, mode: "forward" });
    workload.dispose();
    return workload.program.steps.reduce((sum, step) => sum + step.multiplyAdds, 0);
  };
  const gains = gainNames.map((name) => {
    const preset = gainPreset(name) as Preset;
    return multiplyAdds(preset, "dit") / multiplyAdds(preset, "ptdit");
  });
  expect(gains.length).toBe(3);
  expect(gains[0]).toBeLessThan(1);
  expect(gains).toEqual([...gains].sort((a, b) => a - b));
  expect(gains[2]).toBeGreaterThan(1.9);
  device.close();
});

it("a race times whole turns, short runs after one that does not count, and leaves out who crawls", async () => {
  // The first run of a turn says it took twice as long, as on caches that another has filled.
  const contender = (ms: number) => ({
    run: async (count: number) => Array.from({ length: count }, (_, i) => (i === 0 && count > 1 ? 2 * ms : ms)),
  });
  const [fast, slow, crawling] = await race([contender(40), contender(600), contender(50_000)], 0);
  expect(fast).toMatchObject({ ms: 40, fastMs: 40, spread: 0, runs: 3 });
  expect(slow).toMatchObject({ ms: 600, runs: 3 });
  expect(crawling).toBeUndefined();
});

it.each([
  [{ vectors: "simd" }, /^bench: --vectors simd is a build of the wasm device's kernels\. Leave it out\.$/],
  [
    { peers: true, only: ["tiny", "gain"] },
    /^bench: --device webgpu has no part "gain", got --only tiny gain\. It has matmul, tiny, /,
  ],
] as const)("refuses what it cannot do on WebGPU: %j", async (options, message) => {
  await expect(bench({ device: "webgpu", seconds: 1, ...options })).rejects.toThrow(message);
});

it.each(["tiny", "small", "s"])("reduces %s to one block and one small picture, for us as for other engines", (name) => {
  const reduced = reducedName(name);
  const { depth, side, batch, captionTokens, ...others } = geometryOf(reduced);
  expect({ depth, side, batch }).toEqual({ depth: 1, side: 16, batch: 1 });
  expect(geometryOf(name)).toMatchObject(others);
  const workload = buildWorkload(webgpuPlanning(), benchPreset(reduced), { mode: "forward" });
  expect(workload.batch).toBe(1);
  expect(workload.feed.caption.length).toBe(captionTokens * others.captionChannels);
  workload.dispose();
});

it("a recipe's step of a sample predicts once where it does not guide, twice where it does", () => {
  const multiplyAdds = (recipe: "clean" | "baseline", batch: number) => {
    const workload = buildWorkload(webgpuPlanning(), presets.nano, { mode: "sample", recipe, batch });
    workload.dispose();
    return workload.program.multiplyAdds;
  };
  expect(multiplyAdds("clean", 2) / multiplyAdds("clean", 1)).toBeCloseTo(2, 1);
  expect(multiplyAdds("baseline", 1) / multiplyAdds("clean", 1)).toBeGreaterThan(1.8);
});

it("names a workload by its recipe and pictures where they are not the usual ones", () => {
  const what = { name: "nano", model: "ptdit", mode: "sample" } as const;
  expect(timed(what)).toBe("nano ptdit sample");
  expect(timed({ ...what, recipe: "clean", batch: 1 })).toBe("nano ptdit clean sample, 1 picture");
  expect(timed({ ...what, batch: 4 })).toBe("nano ptdit sample, 4 pictures");
});

it("says on what another engine was timed, and beside what", () => {
  const row = { peer: "other", version: "1.2", name: "tiny", model: "ptdit", mode: "train", threads: 1, ms: 30, ratio: 1.5 };
  expect(peerLine(row)).toBe("tiny ptdit train: other 1.2, 1 thread: 30 ms = 1.50x ours (20 ms)");
  expect(peerLine({ ...row, device: "webgpu" })).toBe("tiny ptdit train: other 1.2, webgpu: 30 ms = 1.50x ours (20 ms)");
});
