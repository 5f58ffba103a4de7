import type { CommandTree, OptionEntry, Values } from "./tree.js";

/** Completion for bash. Names of files and folders are left to bash itself, which knows how to quote them. */
export function bashCompletion({ name, commands, options }: CommandTree): string {
  const flags = (own: readonly OptionEntry[]) => own.map(({ long }) => long);
  const reply = (words: readonly string[], paths?: Values["paths"]) =>
    `_${name}_reply ${paths ?? "none"} ${quoted(words.filter((word) => word !== "").join(" "))}`;
  // Options that take the same are one case.
  const typed = new Map<string, string[]>();
  for (const { name: command, options: own } of commands) {
    for (const { long, short, values } of own) {
      if (!values) continue;
      const does = reply(values.words, values.paths);
      const flags = [long, ...(short ? [short] : [])].map((flag) => quoted(`${command} ${flag}`));
      typed.set(does, [...(typed.get(does) ?? []), ...flags]);
    }
  }
  const cases = [...typed].map(([does, own]) => `    ${own.join(" | ")}) ${does} ;;`);
  return `# bash completion of ${name}. Load it with: source <(${name} completion bash)
_${name}_reply() {
  local IFS=$' \\n' colon=
  # bash takes emoji:64 for three words: what is in front of the last colon is there already.
  [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]] && colon=\${cur%:*}:
  COMPREPLY=($(compgen -W "$2" -- "$cur"))
  COMPREPLY=("\${COMPREPLY[@]#"$colon"}")
  compopt +o default +o bashdefault 2>/dev/null
  case $1 in
    files) compopt -o default 2>/dev/null ;;
    folders) compopt -o plusdirs 2>/dev/null ;;
  esac
}
_${name}() {
  local command= prev= cur= word
  local -a typed=()
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ \${#typed[@]} -gt 0 && ( $word == : || \${typed[\${#typed[@]} - 1]} == *: ) ]]; then
      typed[\${#typed[@]} - 1]+=$word
    else
      typed+=("$word")
    fi
  done
  cur=\${typed[\${#typed[@]} - 1]}
  [[ \${#typed[@]} -gt 2 ]] && prev=\${typed[\${#typed[@]} - 2]} && command=\${typed[1]}
  COMPREPLY=()
  case "$command $prev" in
${cases.join("\n")}
    " "*) ${reply([...commands.map((own) => own.name), ...flags(options)])} ;;
${commands
  .map(({ name: own, options: list, values }) => `    "${own} "*) ${reply([...flags(list), ...values.words], values.paths)} ;;`)
  .join("\n")}
  esac
}
complete -o bashdefault -o default -F _${name} ${name}
`;
}

const quoted = (text: string): string => `"${text.replace(/["$`\\]/g, "\\$&")}"`;
