import { Command, Option } from "commander";
import { bench, benchDevices, benchParts } from "../../bench/index.js";
import { number, vectors } from "../options.js";

export const benchCommand = new Command("bench")
  .description("the machine's limits, products, ops and workloads, PT-DiT and full attention, on one thread and on two")
  .addOption(new Option("--only <part...>", "some parts").choices(benchParts))
  .option("--seconds <time>", "time for each measurement", number("seconds", { least: 0.01 }), 5)
  .option("--peers", "also time other engines (see bench/peers)")
  .option("--json", "print one JSON object")
  .addOption(vectors())
  .addOption(
    new Option("--device <name>", "webgpu: products and workloads in headless Chromium, on its adapter")
      .choices(benchDevices)
      .default("wasm" as const),
  )
  .action((options) => bench(options));
