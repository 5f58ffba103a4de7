import { expect, it } from "vitest";
import { gainNames, gainPreset } from "../../cli/bench/gain.js";
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
