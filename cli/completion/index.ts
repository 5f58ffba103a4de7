import type { CommandUnknownOpts } from "commander";
import { keysOf } from "../../src/base/options.js";
import { bashCompletion } from "./bash.js";
import { fishCompletion } from "./fish.js";
import { type CommandTree, commandTree, type KnownWords } from "./tree.js";
import { zshCompletion } from "./zsh.js";

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } satisfies Record<
  string,
  (tree: CommandTree) => string
>;

export type Shell = keyof typeof shells;
export const shellNames = keysOf(shells);

/** A script for a shell that completes all commands, their options and what these take. */
export function completion(shell: Shell, program: CommandUnknownOpts, known: KnownWords): string {
  return shells[shell](commandTree(program, known));
}
