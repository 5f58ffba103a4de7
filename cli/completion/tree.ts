/** What can be typed after `ptdit`, taken from the commands themselves, so that nothing is listed twice. */
import type { CommandUnknownOpts, Option } from "commander";

/** What may follow an option or a command: words, files, folders too; nothing: something that cannot be guessed. */
export interface Values {
  readonly words: readonly string[];
  readonly paths?: "files" | "folders";
}

export interface OptionEntry {
  readonly long: string;
  readonly short?: string;
  readonly about: string;
  /** What it takes; absent: it takes nothing. */
  readonly values?: Values;
}

export interface CommandEntry {
  readonly name: string;
  readonly about: string;
  readonly options: readonly OptionEntry[];
  /** What its arguments are. */
  readonly values: Values;
}

export interface CommandTree {
  readonly name: string;
  readonly commands: readonly CommandEntry[];
  readonly options: readonly OptionEntry[];
}

/** Words that options take whose values are no choices of commander's: a preset's name has aliases, a data set may be a folder. */
export type KnownWords = Readonly<Record<string, readonly string[]>>;

/** Reads the tree of a program. */
export function commandTree(program: CommandUnknownOpts, known: KnownWords): CommandTree {
  const help = program.createHelp();
  const options = (command: CommandUnknownOpts) => help.visibleOptions(command).map((option) => optionEntry(option, known));
  return {
    name: program.name(),
    options: options(program),
    commands: help.visibleCommands(program).map((command) => ({
      name: command.name(),
      about: help.subcommandDescription(command),
      options: command.name() === "help" ? [] : options(command),
      values: argumentValues(command, program),
    })),
  };
}

function optionEntry(option: Option, known: KnownWords): OptionEntry {
  const { long, short, description, required, optional, flags, argChoices } = option;
  const takes = required || optional;
  const values: Values = { words: argChoices ?? known[long ?? ""] ?? [], ...pathsOf(flags) };
  return { long: long ?? "", ...(short && { short }), about: description, ...(takes && { values }) };
}

function argumentValues(command: CommandUnknownOpts, program: CommandUnknownOpts): Values {
  if (command.name() === "help") return { words: program.commands.map((own) => own.name()) };
  const [argument] = command.registeredArguments;
  return { words: argument?.argChoices ?? [], ...(argument && pathsOf(`<${argument.name()}>`)) };
}

/** What a placeholder such as <file> stands for. A run is its folder or its checkpoint, a set may be a folder. */
function pathsOf(flags: string): { readonly paths?: "files" | "folders" } {
  if (/<(files?|run)\b/.test(flags)) return { paths: "files" };
  return /<(folder|set)\b/.test(flags) ? { paths: "folders" } : {};
}
