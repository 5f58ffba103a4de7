import type { CommandTree, OptionEntry, Values } from "./tree.js";

/** Completion for zsh: to be sourced, or kept as `_ptdit` in a folder of $fpath. */
export function zshCompletion({ name, commands, options }: CommandTree): string {
  // What takes a word or a path needs a function of its own, by what it offers.
  const helpers = new Map<string, string>();
  const action = ({ words, paths }: Values): string => {
    const files = paths === "folders" ? "_files -/" : "_files";
    const list = `(${words.map((word) => escaped(word, ":")).join(" ")})`;
    if (words.length === 0) return paths ? files : " ";
    if (!paths) return list;
    const body = `_alternative ${quoted(`words:word:${list}`)} ${quoted(`files:file:${files}`)}`;
    const helper = helpers.get(body) ?? `_${name}_${helpers.size}`;
    helpers.set(body, helper);
    return helper;
  };
  const optionSpec = ({ long, short, about, values }: OptionEntry): string => {
    const text = `[${escaped(about, "[]")}]${values ? `:${long.slice(2)}:${action(values)}` : ""}`;
    const tie = values ? "=" : "";
    return short ? `${quoted(`(${short} ${long})`)}{${short},${long}${tie}}${quoted(text)}` : quoted(`${long}${tie}${text}`);
  };
  const described = commands.map(({ name: own, about }) => quoted(`${own}:${escaped(about, ":")}`));
  const cases = commands.map(({ name: own, options: flags, values }) => {
    const hasArguments = values.words.length > 0 || values.paths !== undefined;
    const specs = [...flags.map(optionSpec), ...(hasArguments ? [quoted(`*:${own}:${action(values)}`)] : [])];
    return `        ${own}) _arguments ${specs.join(" ")} ;;`;
  });
  return `#compdef ${name}
# zsh completion of ${name}. Load it with: source <(${name} completion zsh)
${[...helpers].map(([body, helper]) => `${helper}() { ${body} }`).join("\n")}
_${name}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(${described.join(" ")})
  _arguments -C ${options.map(optionSpec).join(" ")} '1:command:->command' '*::argument:->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${cases.join("\n")}
      esac ;;
  esac
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

const escaped = (text: string, characters: string): string =>
  [...text].map((letter) => (characters.includes(letter) || letter === "\\" ? `\\${letter}` : letter)).join("");

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
