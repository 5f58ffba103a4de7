#!/usr/bin/env node
import { Command } from "commander";
import { PtditError } from "../src/base/errors.js";
import { ablateCommand } from "./commands/ablate.js";
import { auditCommand } from "./commands/audit.js";
import { benchCommand } from "./commands/bench.js";
import { completionCommand } from "./commands/completion.js";
import { evalCommand } from "./commands/eval.js";
import { exportCommand } from "./commands/export.js";
import { infoCommand } from "./commands/info.js";
import { inspectCommand } from "./commands/inspect.js";
import { presetsCommand } from "./commands/presets.js";
import { profileCommand } from "./commands/profile.js";
import { quickstartCommand } from "./commands/quickstart.js";
import { redundancyCommand } from "./commands/redundancy.js";
import { runsCommand } from "./commands/runs.js";
import { sampleCommand } from "./commands/sample.js";
import { speedrunCommand } from "./commands/speedrun.js";
import { sweepCommand } from "./commands/sweep.js";
import { trainCommand } from "./commands/train.js";
import { verifyCommand } from "./commands/verify.js";
import { watchOutput } from "./training/stopRequest.js";

const program = new Command("ptdit")
  .description("Train and sample PT-DiT, the Proxy-Tokenized Diffusion Transformer, anywhere JavaScript runs.")
  .version("0.1.0")
  .showHelpAfterError("(see ptdit --help)");

for (const command of [
  ...[trainCommand, sampleCommand, evalCommand, sweepCommand, exportCommand, runsCommand, verifyCommand, profileCommand],
  ...[inspectCommand, auditCommand, ablateCommand, redundancyCommand, benchCommand, speedrunCommand, presetsCommand],
  ...[infoCommand, quickstartCommand, completionCommand],
]) {
  program.addCommand(command.copyInheritedSettings(program));
}

watchOutput();

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof Error && !(error instanceof PtditError) && process.env.PTDIT_DEBUG)
    process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
}
