/**
 * Builds the WASM kernels: writes the dispatchers from the kernels' specifications, spells out the micro-kernels,
 * compiles `assembly/` for every target of asconfig.json, and embeds each binary in a module of its own, which the library imports when
 * it has chosen it: no file is needed beside it. They are hexadecimal, which servers pack a fifth smaller than base 64. Of the builds
 * that are timed before they are chosen the probe is embedded apart.
 * Skips the work when nothing under `assembly/` or the specifications is newer than the result (`--force` overrides).
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { kernelOf } from "../src/backend/calls.ts";
import { kernelNames } from "../src/backend/kernels/index.ts";
import { opcodeNames, opcodes } from "../src/backend/kernels/opcodes.ts";
import { microKernelsSource } from "./micro-kernels.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The module that a build's binary, or its probe's, is embedded in. */
const embedded = (name: string) => `${root}src/backend/wasm/${name}.generated.ts`;
const dispatcher = `${root}assembly/dispatch.generated.ts`;
const instructions = `${root}assembly/instructions.generated.ts`;
const microKernels = `${root}assembly/gemm-micro.generated.ts`;
const shaders = `${root}src/backend/webgpu/wgsl.generated.ts`;
const shaderFiles = readdirSync(`${root}wgsl`).filter((file) => file.endsWith(".wgsl"));
const builds = Object.keys(JSON.parse(readFileSync(`${root}asconfig.json`, "utf8")).targets);
/** Builds that one engine runs faster and another not at all. */
const probed = ["relaxed", "paired"];
const probes = "probes";

const sources = readdirSync(`${root}assembly`).filter((file) => file.endsWith(".ts") && !file.endsWith(".generated.ts"));
const inputs = [
  ...sources.map((file) => `assembly/${file}`),
  ...["kernel.ts", "calls.ts", ...readdirSync(`${root}src/backend/kernels`).map((file) => `kernels/${file}`)].map(
    (file) => `src/backend/${file}`,
  ),
  ...shaderFiles.map((file) => `wgsl/${file}`),
  "asconfig.json",
  "scripts/build-kernels.ts",
  "scripts/micro-kernels.ts",
];
if (process.argv.includes("--force") || isStale()) await build();

function isStale(): boolean {
  const time = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const outputs = [
    ...[...builds, probes].map(embedded),
    dispatcher,
    instructions,
    microKernels,
    shaders,
    ...builds.map((name) => `${root}dist/kernels/${name}.wasm`),
  ];
  return Math.max(...inputs.map((path) => time(root + path))) > Math.min(...outputs.map(time));
}

/** Where each function of `assembly/` is exported, and the names of its parameters. */
function exportedFunctions(): Map<string, { readonly home: string; readonly parameters: readonly string[] }[]> {
  const found = new Map<string, { readonly home: string; readonly parameters: readonly string[] }[]>();
  for (const file of sources) {
    for (const [, name, list] of readFileSync(`${root}assembly/${file}`, "utf8").matchAll(
      /^export function (\w+)\(([^)]*)\)/gm,
    )) {
      const parameters = [...list.matchAll(/(\w+)\s*:/g)].map(([, parameter]) => parameter);
      found.set(name, [...(found.get(name) ?? []), { home: file.replace(/\.ts$/, ""), parameters }]);
    }
  }
  return found;
}

/** `case n: name(argument, …)` for every kernel; commands are [opcode, bytes, division, counts, buffers…, numbers…] in memory.
 *  @throws Error when `assembly/` lacks a kernel, has it twice, or gives its parameters other names (but for a closing Ptr) or another
 *  order */
function dispatcherSource(): string {
  const functions = exportedFunctions();
  const homeOf = (name: string, parameters: readonly string[]): string => {
    const [own, ...others] = functions.get(name) ?? [];
    if (!own) throw new Error(`build-kernels: no "export function ${name}" in assembly/.`);
    if (others.length > 0)
      throw new Error(`build-kernels: ${name} is exported by ${[own, ...others].map(({ home }) => home).join(" and ")}.`);
    if (own.parameters.map((parameter) => parameter.replace(/Ptr$/, "")).join() !== parameters.join()) {
      throw new Error(
        `build-kernels: ${name} takes (${own.parameters.join(", ")}) in assembly/${own.home}.ts, its specification says (${parameters.join(", ")}).`,
      );
    }
    return own.home;
  };
  const names = kernelNames.map((name) => {
    const { buffers, numbers } = kernelOf(name);
    return { name, buffers: Object.keys(buffers), numbers: Object.entries(numbers) };
  });
  const imports = [
    ...names.map(({ name, buffers, numbers }) => [name, homeOf(name, [...buffers, ...numbers.map(([own]) => own)])]),
    ...["fused", "reduce"].map((name) => [name, homeOf(name, ["args"])]),
  ];
  const cases = names.map(({ name, buffers, numbers }, index) => {
    const types = [...buffers.map(() => "usize"), ...numbers.map(([, role]) => (role === "float" ? "f32" : "i32"))];
    return `    case ${index}: ${name}(${types.map((type, i) => `load<${type}>(command, ${16 + 4 * i})`).join(", ")}); break;`;
  });
  return [
    `${generatedFrom("src/backend/kernels")}`,
    ...imports.map(([name, home]) => `import { ${name} } from "./${home}";`),
    "/** Runs this thread's share of the command at `command`. */",
    "export function execute(command: usize): void {",
    "  switch (load<i32>(command)) {",
    ...cases,
    `    case ${cases.length}: fused(command + 16); break;`,
    `    case ${cases.length + 1}: reduce(command + 16); break;`,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** `case n: unary<Operation>(…)` for every opcode: its class in `assembly/operations.ts` has its name. Where `assembly/instructions.ts`
 *  has a function of the opcode's own name, that runs it. */
function instructionsSource(): string {
  const own = readFileSync(`${root}assembly/instructions.ts`, "utf8");
  const forms = { 1: ["unary", "y, a, bytes"], 2: ["binary", "y, a, b, bytes"], 3: ["ternary", "y, a, b, c, bytes"] } as const;
  const operations = opcodeNames.map((name) => {
    const [form, parameters] = forms[opcodes[name].arity];
    if (own.includes(`export function ${name}(`)) return { function: name, parameters };
    const operation = `${name[0].toUpperCase()}${name.slice(1)}`;
    return { function: form, operation, parameters };
  });
  const cases = operations.map(({ function: run, operation, parameters }, i) => {
    return `    case ${i}: ${run}${operation ? `<${operation}>` : ""}(${parameters}); break;`;
  });
  const classes = operations.flatMap(({ operation }) => operation ?? []);
  const functions = [...new Set(operations.map((operation) => operation.function))].sort();
  return [
    generatedFrom("src/backend/kernels/opcodes.ts"),
    `import { ${classes.join(", ")} } from "./operations";`,
    `import { ${functions.join(", ")} } from "./instructions";`,
    "/** Runs one instruction over `bytes` bytes. */",
    "export function runInstruction(opcode: i32, y: usize, a: usize, b: usize, c: usize, bytes: usize): void {",
    "  switch (opcode) {",
    ...cases,
    "  }",
    "}",
    "",
  ].join("\n");
}

function generatedFrom(source: string): string {
  return `// Generated from ${source} by scripts/build-kernels.ts.`;
}

async function build(): Promise<void> {
  // Loading the compiler takes longer than all else that this does where nothing is stale.
  const { default: asc } = await import("assemblyscript/asc");
  mkdirSync(`${root}dist/kernels`, { recursive: true });
  writeFileSync(dispatcher, dispatcherSource());
  writeFileSync(instructions, instructionsSource());
  writeFileSync(microKernels, microKernelsSource());
  for (const name of builds) {
    const binary = await compile("program", name);
    writeFileSync(`${root}dist/kernels/${name}.wasm`, binary);
    writeFileSync(embedded(name), moduleOf([`export const binary = "${binary.toString("hex")}";`]));
  }
  const lines: string[] = [];
  for (const name of probed) lines.push(`export const ${name} = "${(await compile("probe", name)).toString("hex")}";`);
  writeFileSync(embedded(probes), moduleOf(lines));
  writeFileSync(shaders, shadersSource());

  /** The binary of a file of `assembly/` and all that it uses, for a target. */
  async function compile(entry: string, target: string): Promise<Buffer> {
    let binary: Buffer | undefined;
    const options = ["--config", "asconfig.json", "--target", target, "--outFile", `${target}.wasm`, "--baseDir", root];
    const { error, stderr } = await asc.main([`assembly/${entry}.ts`, ...options], {
      writeFile(_, contents) {
        binary = Buffer.from(contents);
      },
    });
    if (error || !binary) {
      process.stderr.write(stderr.toString());
      throw error ?? new Error(`build-kernels: ${entry} for ${target} gives no binary.`);
    }
    return binary;
  }
}

/** The text of every file of `wgsl/`, by its name. */
function shadersSource(): string {
  const entries = shaderFiles.map((file) => {
    const text = readFileSync(`${root}wgsl/${file}`, "utf8");
    return `  ${file.replace(/\.wgsl$/, "")}: ${JSON.stringify(text)},`;
  });
  return [generatedFrom("wgsl"), "export const bodies: Readonly<Record<string, string>> = {", ...entries, "};", ""].join("\n");
}

function moduleOf(lines: readonly string[]): string {
  return ["// Generated by scripts/build-kernels.ts: WebAssembly, two letters a byte.", ...lines, ""].join("\n");
}
