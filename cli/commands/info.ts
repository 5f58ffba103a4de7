import { availableParallelism } from "node:os";
import { Command } from "commander";
import { type DeviceOptions, withDevice } from "../device.js";
import { device, threads, vectors } from "../options.js";
import { showTarget } from "../show/target.js";

/** `ptdit info`: what would run a program here, and why; and how programs are made for it. */
export async function info({ json, ...options }: DeviceOptions & { readonly json?: true }, version: string): Promise<void> {
  await withDevice(options, async (device) => {
    const { device: name, threads, details } = device.describe();
    const { node, v8 } = process.versions;
    const target = showTarget(device.target);
    if (!json) {
      const likes = Object.entries(target).map(([what, how]) => `${what}: ${how}`);
      console.log([`device: ${name}`, ...details, `engine: Node ${node} (V8 ${v8})`, ...likes].join("\n"));
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
      }),
    );
  });
}

export const infoCommand = new Command("info")
  .description("device, SIMD level, threads, and why")
  .option("--json", "print one JSON object")
  .addOption(device())
  .addOption(threads())
  .addOption(vectors())
  .action((options, command) => info(options, command.parent?.version() ?? ""));
