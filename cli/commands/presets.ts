import { Command } from "commander";
import { PTDiT } from "../../src/ptdit/model.js";
import { type Preset, presetAliases, presetNames, presets } from "../../src/ptdit/presets.js";

/** `ptdit presets`: parameter counts, and the paper's where it prints one. They need not agree: the text and position parts differ. */
export function listPresets({ json }: { readonly json?: true } = {}): void {
  const rows = presetNames.map((name) => ({
    name,
    alias: aliasOf(name),
    preset: presets[name],
    count: parametersOf(presets[name]),
  }));
  if (json) {
    const plain = rows.map(({ name, alias, preset, count }) => {
      const { about, kind, batch, side, paperMillions, config } = preset;
      return {
        name,
        aliases: alias ? [alias] : [],
        about,
        kind,
        parameters: count,
        paperMillions: paperMillions ?? null,
        batch,
        side,
        config,
      };
    });
    console.log(JSON.stringify(plain));
    return;
  }
  console.log("preset     also  heads x dim  depth  window   parameters     paper   difference  of       what for");
  for (const { name, alias, preset, count } of rows) {
    const { config, about, kind, paperMillions } = preset;
    const printed = paperMillions ? `${paperMillions} M`.padStart(7) : "".padStart(7);
    const difference = paperMillions
      ? `${((count / (paperMillions * 1e6) - 1) * 100).toFixed(1)} %`.padStart(9)
      : "".padStart(9);
    const shape = `${config.heads} x ${config.headDim}`.padEnd(11);
    console.log(
      `${name.padEnd(9)}  ${alias.padEnd(4)}  ${shape}  ${String(config.depth).padEnd(5)}  ${config.window.join(",").padEnd(7)} ${count.toLocaleString("en-US").padStart(13)}   ${printed}   ${difference}  ${kind.padEnd(7)}  ${about}`,
    );
  }
}

const aliasOf = (name: string): string => Object.entries(presetAliases).find(([, own]) => own === name)?.[0] ?? "";
const parametersOf = ({ config }: Preset): number => new PTDiT(config).parameterCount;

export const presetsCommand = new Command("presets")
  .description("models by name, with their parameter counts beside the paper's")
  .option("--json", "print one JSON array")
  .action(listPresets);
