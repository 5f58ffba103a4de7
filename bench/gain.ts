import type { Preset } from "../src/ptdit/presets.js";
import { presetOf } from "../src/ptdit/presets.js";

/** Token counts at which PT-DiT is compared with full attention, and the window the paper takes for each. */
const windows: Readonly<Record<number, readonly [number, number, number]>> = {
  256: [1, 2, 2],
  1024: [1, 4, 4],
  4096: [1, 8, 8],
};
const prefix = "tokens-";

/** Names of the workloads that compare PT-DiT with full attention, by tokens. */
export const gainNames: readonly string[] = Object.keys(windows).map((tokens) => `${prefix}${tokens}`);

/** The workload `long` on grids of 256, 1024 and 4096 tokens, as many tokens a step as at 4096.
 *  @source Qihoo-T2X, table of windows by resolution */
export function gainPreset(name: string): Preset | undefined {
  const tokens = Number(name.startsWith(prefix) ? name.slice(prefix.length) : Number.NaN);
  const window = windows[tokens];
  if (!window) return undefined;
  const long = presetOf("long");
  const side = Math.sqrt(tokens) * long.config.patch;
  return { ...long, side, batch: 4096 / tokens, config: { ...long.config, sampleSize: side, window, proxyWindow: window } };
}
