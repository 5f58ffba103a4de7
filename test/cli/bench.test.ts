import { expect, it } from "vitest";
import { gainNames, gainPreset } from "../../bench/gain.js";
import { race } from "../../bench/race.js";
import { wasm } from "../../src/backend/wasm/device.js";
import type { Preset } from "../../src/ptdit/presets.js";
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
