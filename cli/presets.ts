import { PTDiT } from "../src/ptdit/model.js";
import { type Preset, presets } from "../src/ptdit/presets.js";

/** `ptdit presets`: parameter counts, and the paper's where it prints one. They need not agree: the text and position parts differ. */
export function listPresets(): void {
  console.log("preset  heads x dim  depth  window   parameters     paper   difference  what for");
  for (const [name, preset] of Object.entries<Preset>(presets)) {
    const { config, about, paperMillions } = preset;
    const count = new PTDiT(config).parameterCount;
    const printed = paperMillions ? `${paperMillions} M`.padStart(7) : "".padStart(7);
    const difference = paperMillions
      ? `${((count / (paperMillions * 1e6) - 1) * 100).toFixed(1)} %`.padStart(9)
      : "".padStart(9);
    const shape = `${config.heads} x ${config.headDim}`.padEnd(11);
    console.log(
      `${name.padEnd(7)} ${shape}  ${String(config.depth).padEnd(5)}  ${config.window.join(",").padEnd(7)} ${count.toLocaleString("en-US").padStart(13)}   ${printed}   ${difference}  ${about}`,
    );
  }
}
