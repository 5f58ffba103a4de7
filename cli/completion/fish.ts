import type { CommandTree, OptionEntry, Values } from "./tree.js";

/** Completion for fish. */
export function fishCompletion({ name, commands, options }: CommandTree): string {
  const line = (parts: readonly string[]) => ["complete", "-c", name, ...parts].join(" ");
  const first = ["-n", "__fish_use_subcommand"];
  const lines = [
    `# fish completion of ${name}. Load it with: ${name} completion fish | source`,
    line(["-f"]),
    ...options.map((own) => line([...first, ...optionParts(own)])),
    ...commands.map((own) => line([...first, "-a", own.name, "-d", quoted(own.about)])),
    ...commands.flatMap(({ name: own, options: flags, values }) => {
      const within = ["-n", quoted(`__fish_seen_subcommand_from ${own}`)];
      const argument = valueParts(values);
      return [
        ...flags.map((flag) => line([...within, ...optionParts(flag)])),
        ...(argument.length > 0 ? [line([...within, ...argument])] : []),
      ];
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function optionParts({ long, short, about, values }: OptionEntry): string[] {
  return [
    ...(short ? ["-s", short.slice(1)] : []),
    ...["-l", long.slice(2), "-d", quoted(about)],
    ...(values ? ["-r", ...(values.paths === "files" ? [] : ["-f"]), ...valueParts(values)] : []),
  ];
}

function valueParts({ words, paths }: Values): string[] {
  const folders = paths === "folders" ? ["(__fish_complete_directories)"] : [];
  const listed = [...words, ...folders].join(" ");
  return [...(paths === "files" ? ["-F"] : []), ...(listed === "" ? [] : ["-a", quoted(listed)])];
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
