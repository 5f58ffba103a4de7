import { Argument, Command } from "commander";
import { emojiSets } from "../../src/node/emoji.js";
import { presetAliases, presetNames } from "../../src/ptdit/presets.js";
import { completion, shellNames } from "../completion/index.js";

/** Words of options that are no choices: a preset's name has aliases, a data set may be a folder. */
const known = { "--preset": [...presetNames, ...Object.keys(presetAliases)], "--data": emojiSets };

export const completionCommand = new Command("completion")
  .description("a script that completes all of this in a shell: source <(ptdit completion bash)")
  .addArgument(new Argument("<shell>", "which").choices(shellNames))
  .action((shell, _, command) => {
    if (command.parent) process.stdout.write(completion(shell, command.parent, known));
  });
