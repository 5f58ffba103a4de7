import { availableParallelism } from "node:os";
import { Command } from "commander";
import { fastestDevice } from "../../src/backend/fastest.js";
import { type AdapterDescription, adapters } from "../../src/backend/webgpu/adapters.js";
import { DeviceError } from "../../src/base/errors.js";
import { presets } from "../../src/ptdit/presets.js";
import { defaultRecipe } from "../../src/ptdit/recipes.js";
import { buildWorkload } from "../../src/ptdit/workload.js";
import { type DeviceOptions, deviceOf, noteUnused, wasmOptions } from "../device.js";
import { device, threads, vectors } from "../options.js";
import { showTarget } from "../show/target.js";

/** What `--device auto` is tried on here: it tries what a command is to do, and this one is to do nothing. */
const tried = "nano";
const measured = `a training step of ${tried}`;

/** `ptdit info`: what would run a program here, and why; how programs are made for it; and which devices there are beside it. */
export async function info({ json, ...options }: DeviceOptions & { readonly json?: true }, version: string): Promise<void> {
  const { device = "wasm" } = options;
  const own = device === "wasm" || device === "auto" ? wasmOptions(options) : {};
  const { device: fastest, ...auto } = await fastestDevice(
    (on) => buildWorkload(on, presets[tried], { recipe: defaultRecipe }),
    { wasm: own },
  );
  let shown = fastest;
  if (device !== "auto") {
    fastest.close();
    shown = await deviceOf(device, options);
  } else noteUnused(auto.name, own);
  try {
    const { device: name, threads, details } = shown.describe();
    const { node, v8 } = process.versions;
    const target = showTarget(shown.target);
    const found = await foundAdapters();
    if (!json) {
      const likes = Object.entries(target).map(([what, how]) => `${what}: ${how}`);
      const gpus = typeof found === "string" ? [found] : found.map(shownAdapter);
      const choice = `--device auto: ${auto.name} (${auto.why}) for ${measured}`;
      console.log([`device: ${name}`, ...details, `engine: Node ${node} (V8 ${v8})`, ...likes, ...gpus, choice].join("\n"));
      return;
    }
    // A detail is "what: how it is, and why".
    const named = details.map((line) => [line.split(":")[0], line.slice(line.indexOf(":") + 1).trim()] as const);
    const machine = { platform: process.platform, arch: process.arch, cores: availableParallelism() };
    console.log(
      JSON.stringify({
        ptdit: version,
        device: name,
        threads,
        details: Object.fromEntries(named),
        target,
        node,
        v8,
        ...machine,
        webgpu: typeof found === "string" ? { adapters: [], without: found } : { adapters: found },
        auto: { device: auto.name, why: auto.why, measured },
      }),
    );
  } finally {
    shown.close();
  }
}

/** The adapters of WebGPU, or why there are none. */
async function foundAdapters(): Promise<readonly AdapterDescription[] | string> {
  try {
    return await adapters();
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return error.message;
  }
}

const shownAdapter = ({ adapter, software, features, limits }: AdapterDescription): string =>
  `webgpu: ${adapter}${software ? " (software, for tests alone)" : ""}; features: ${features}; limits: ${limits}`;

export const infoCommand = new Command("info")
  .description("device, SIMD level, threads, and why; WebGPU's adapters, and what --device auto would take")
  .option("--json", "print one JSON object")
  .addOption(device())
  .addOption(threads())
  .addOption(vectors())
  .action((options, command) => info(options, command.parent?.version() ?? ""));
