import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromium } from "../../bench/chromium.js";
import { encodePng } from "../../src/pictures/encodePng.js";
import { blank } from "../../src/pictures/png.js";
import { type BundlerName, bundlers } from "./bundlers.js";
import { type Bundles, bundleAll, type Opened, openAll, samplerBytes, scripts } from "./bundles.js";
import { installPacked, manifest, type Result, root, run } from "./install.js";
import { chainsOf, type Line } from "./lines.js";
import { blocks, usages } from "./readme.js";

/** Flags of the engine hold for the installed command too. */
const engineFlags = process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm"));

const installed = await installPacked();
const { folder, tarball } = "folder" in installed ? installed : { folder: "", tarball: "" };
const why = "unreachable" in installed ? ` (${installed.unreachable})` : "";

describe.skipIf(why)(`the packed package, installed into an empty folder${why}`, () => {
  const home = join(folder, "node_modules/ptdit");
  const bin = join(home, "dist/cli/ptdit.js");
  const ptdit = (args: readonly string[], until?: RegExp) =>
    run(process.execPath, [...engineFlags, bin, ...args], folder, until);
  afterAll(() => rmSync(dirname(folder), { recursive: true, force: true }));

  it("holds what was built, the licence, the notice, the README and the ablations, and nothing else", () => {
    const files = readdirSync(home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1));
    const compiled = files.filter((file) => /^dist\/(src|cli|bench)\//.test(file));
    const sources = ["src", "cli", "bench"].flatMap((part) =>
      readdirSync(join(root, part), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !file.includes("node_modules"))
        .flatMap((file) => [".js", ".d.ts"].map((end) => join("dist", part, file.replace(/\.ts$/, end)))),
    );
    expect(compiled.sort()).toEqual(sources.sort());
    const models = readdirSync(join(root, "models"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    expect(files.filter((file) => !compiled.includes(file) && !models.includes(file)).sort()).toEqual([
      "LICENSE",
      "NOTICE",
      "README.md",
      "ablations/components.json",
      "ablations/injection.json",
      "ablations/proxies.json",
      "ablations/windows.json",
      "dist/emoji/list.json",
      "dist/emoji/pictures.bin",
      "dist/kernels/paired.wasm",
      "dist/kernels/relaxed.wasm",
      "dist/kernels/simd.wasm",
      "package.json",
    ]);
    expect(models.filter((file) => !files.includes(file) || !/^models\/(README\.md|.+\.safetensors)$/.test(file))).toEqual([]);
    expect(readFileSync(join(home, "LICENSE"), "utf8")).toMatch(/Apache License[\s\S]*END OF TERMS AND CONDITIONS/);
  });

  it("imports no package but those that are installed with it, and each of these", () => {
    const code = readdirSync(join(home, "dist"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".js"))
      .map((file) => readFileSync(join(home, "dist", file), "utf8"))
      .join("\n");
    const imports = [...code.matchAll(/\b(?:from|import)\s*\(?\s*"((?:@[\w-]+\/)?[\w-]+)(?:\/[\w./-]+)?"/g)].map(
      ([, name]) => name,
    );
    const installed = Object.keys(manifest.optionalDependencies);
    expect(imports.filter((name) => name !== "ptdit" && !installed.includes(name))).toEqual([]);
    expect(imports).toContain("commander");
    // Some are found by their names, which stand in a table.
    expect(installed.filter((name) => !name.startsWith("@fontsource") && !code.includes(`"${name}`))).toEqual([]);
  });

  it("has no fault that publint or arethetypeswrong knows", async () => {
    const bytes = readFileSync(tarball);
    const content = Uint8Array.from(bytes).buffer;
    const { messages, pkg } = await publint({ pack: { tarball: content }, strict: true });
    // The field is for pngjs, which does not tell bundlers of its build for browsers.
    const faults = messages.filter(({ code }) => code !== "USE_EXPORTS_OR_IMPORTS_BROWSER");
    expect(faults.map((message) => formatMessage(message, pkg))).toEqual([]);
    const types = await checkPackage(createPackageFromTarballData(new Uint8Array(content)));
    // Of modules only: who still resolves as Node 10 did, or requires modules before Node 20.19, cannot use the package at all.
    const known = ["NoResolution", "CJSResolvesToESM"];
    const problems = "problems" in types ? types.problems : ["no types"];
    expect(
      problems.filter(
        (problem) =>
          typeof problem === "string" ||
          !(
            known.includes(problem.kind) &&
            "resolutionKind" in problem &&
            /^node10$|^node16-cjs$/.test(problem.resolutionKind)
          ),
      ),
    ).toEqual([]);
  });

  describe("every command of the README", () => {
    const results = new Map<Line, Promise<Result>>();
    const chains = chainsOf(usages());
    beforeAll(async () => {
      mkdirSync(join(folder, "pictures"));
      for (const [i, name] of ["a red square", "green", "blue"].entries()) {
        const picture = blank(8, 8, [i === 0 ? 255 : 0, i === 1 ? 255 : 0, i === 2 ? 255 : 0, 255]);
        writeFileSync(join(folder, "pictures", `${name}.png`), await encodePng(picture));
      }
      copyFileSync(join(root, "test/fixtures/image_noshift.safetensors"), join(folder, "fixture.safetensors"));
      // Two at a time: most of what they do is to start.
      const waiting = [...chains];
      const work = async () => {
        for (let chain = waiting.shift(); chain; chain = waiting.shift())
          for (const line of chain) {
            const result = ptdit(line.args, line.until);
            results.set(line, result);
            await result;
          }
      };
      await Promise.all([work(), work()]);
    }, 300_000);

    it.each(chains.flat().map((line) => [line.text, line] as const))("%s", async (_, line) => {
      const { code, out, err } = (await results.get(line)) as Result;
      expect(err).not.toMatch(/^error:|^\s+at /m);
      expect([code, out.trim() === ""]).toEqual([0, false]);
    });

    it("leaves a run with its checkpoint, its curve and its pictures", () => {
      const resumed = chains.flat().find(({ args }) => args.includes("--resume"));
      const files = readdirSync(join(folder, resumed?.run ?? ""));
      expect(files).toEqual(expect.arrayContaining(["checkpoint.safetensors", "log.jsonl", "loss.png", "sample.png"]));
    });

    const tried = new Set(chains.flat().flatMap(({ args }) => args));
    const untried = usages()
      .map(({ command, options }) => [command, options.filter((option) => !tried.has(option))] as const)
      .filter(([, options]) => options.length > 0);
    it.each(untried)("%s has %j", async (command, options) => {
      const { out } = await ptdit([command, "--help"]);
      for (const option of options) expect(out).toContain(option);
    });
  });

  it("a model in its folder is drawn from by name, and every other name is refused", async () => {
    const fixture = join(root, "test/fixtures/runs/format-1/checkpoint.safetensors");
    copyFileSync(fixture, join(home, "models/trial.safetensors"));
    const drawn = await ptdit(["sample", "--model", "trial", "--prompt", "red heart", "--steps", "1"]);
    expect([drawn.code, drawn.out, drawn.err]).toEqual([0, "trial-sample.png\n", ""]);
    expect(existsSync(join(folder, "trial-sample.png"))).toBe(true);
    const refused = await ptdit(["sample", "--model", "trail", "--prompt", "red heart"]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/unknown model "trail"\. Did you mean "trial"\?/)]);
  });

  it("the command starts by its own name", async () => {
    const { code, out } = await run(join(folder, "node_modules/.bin/ptdit"), ["--version"], folder);
    expect([code, out.trim()]).toEqual([0, manifest.version]);
  });

  it.each(blocks("ts").map((code, i) => [i + 1, code] as const))(
    "the README's code runs as written: block %i",
    async (i, code) => {
      writeFileSync(join(folder, `readme-${i}.mjs`), code);
      const { code: status, out, err } = await run(process.execPath, [...engineFlags, `readme-${i}.mjs`], folder);
      expect({ status, err }).toEqual({ status: 0, err: "" });
      expect(out).not.toMatch(/NaN|undefined/);
    },
  );

  const modules = Object.keys(manifest.exports).filter((path) => typeof manifest.exports[path] === "object");
  const nameOf = (path: string) => path.replace(/^\./, "ptdit");

  it("every module can be imported, and every file it exports be found", async () => {
    const kernels = ["simd", "relaxed", "paired"].map((build) => `kernels/${build}.wasm`);
    const files = [
      ...kernels,
      "emoji/list.json",
      "models/README.md",
      "models/emoji.safetensors",
      "models/features/emoji.safetensors",
      "package.json",
    ];
    writeFileSync(
      join(folder, "imports.mjs"),
      `import { existsSync } from "node:fs";
      import { createRequire } from "node:module";
      const { resolve } = createRequire(import.meta.url);
      const found = {};
      for (const name of ${JSON.stringify(modules.map(nameOf))}) found[name] = Object.keys(await import(name)).length;
      for (const file of ${JSON.stringify(files)}) found[file] = existsSync(resolve("ptdit/" + file));
      console.log(JSON.stringify(found));`,
    );
    const { out, err } = await run(process.execPath, ["imports.mjs"], folder);
    expect(err).toBe("");
    const found = JSON.parse(out) as Record<string, number | boolean>;
    for (const path of modules) expect(found[nameOf(path)], path).toBeGreaterThan(0);
    for (const file of files) expect(found[file], file).toBe(true);
  });

  it("its types, and the README's code, pass a strict compiler without those of Node", () => {
    const everything = modules.map((path, i) => `export * as m${i} from "${nameOf(path)}";`).join("\n");
    writeFileSync(join(folder, "everything.ts"), everything);
    const code = blocks("ts").map((text, i) => {
      writeFileSync(join(folder, `readme-${i}.ts`), text);
      return join(folder, `readme-${i}.ts`);
    });
    const program = ts.createProgram([join(folder, "everything.ts"), ...code], {
      noEmit: true,
      strict: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
      types: [],
    });
    const faults = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
    expect(faults).toEqual([]);
  });

  // What reads and writes files is for Node; every other entry has a script of its own.
  const forPages = modules.filter((path) => path !== "./node").map((path) => path.replace(/^\.\/?/, "") || "index");

  it("every entry for browsers has a page that uses it", () => expect(scripts).toEqual(forPages.sort()));

  describe.skipIf(!chromium)(chromium ? "bundled without configuration" : "bundled without configuration (no Chromium)", () => {
    let bundles: Bundles = new Map();
    let opened: Opened | undefined;
    beforeAll(async () => {
      bundles = await bundleAll(folder);
      opened = await openAll(bundles);
    }, 300_000);

    describe.each(Object.keys(bundlers) as BundlerName[])("by %s", (name) => {
      const found = (script: string) => opened?.found.get(name)?.[script];
      it("has no fault", () => expect(bundles.get(name)).toEqual({ out: expect.any(String) }));

      it("the engine computes, on threads as in float64", () => {
        expect(found("index")).toMatchObject({ threads: 2 });
        const { onThreads, inFloat64 } = found("index") as Record<string, number[]>;
        for (const [i, loss] of inFloat64.entries()) expect(onThreads[i]).toBeCloseTo(loss, 5);
        expect(inFloat64[1]).toBeLessThan(inFloat64[0]);
      });

      it("layers learn", () => {
        const { losses } = found("nn") as { losses: number[] };
        expect(losses.at(-1)).toBeLessThan(losses[0]);
      });

      it("PT-DiT takes a step of training and draws a picture", () => {
        expect(found("model")).toMatchObject({ step: 1, loss: expect.any(Number), numbers: 3 * 8 * 8, finite: true });
        expect((found("model") as { loss: number }).loss).toBeGreaterThan(0);
      });

      it("bytes, captions and pictures are read and written", () => {
        expect(found("io")).toEqual({ shape: [2, 2], data: [1, 2, 3, 4.5], metadata: { by: "a page" } });
        expect(found("data")).toEqual({ words: ["red", "apple", "tree"], again: ["red", "apple", "tree"], batch: [0, 1, 2] });
        expect(found("pictures")).toEqual({ same: true, size: [30, 12, 200, 100], letters: true, font: true });
      });
    });

    // These two name their parts after the modules in them.
    it.each(["Vite", "Rollup"] as const)("a page of %s fetches only the kernels that it runs", (name) => {
      const model = opened?.found.get(name)?.model as { details: string[] } | undefined;
      const chosen = model?.details.some((line) => line.includes("the fastest here")) ? "paired" : "relaxed";
      const fetched = opened?.fetched.get(name)?.flatMap((path) => /(\w+)\.generated/.exec(path)?.[1] ?? []);
      // One script asks for `simd`, the others take the best.
      expect([...new Set(fetched)].sort()).toEqual(["probes", chosen, "simd"].sort());
    });
  });

  // A tenth above what was measured: what grows beyond it has to be worth it.
  it("a page that samples stays small", async () => {
    const { code, builds } = await samplerBytes(folder);
    expect(Object.keys(builds).sort()).toEqual(["paired", "probes", "relaxed", "simd"]);
    expect(code).toBeLessThan(63_000);
    expect(code + builds.probes + builds.relaxed).toBeLessThan(93_000);
  });

  describe("without its optional packages", () => {
    const aside = join(folder, "aside");
    const without = async (name: string, body: () => Promise<void>) => {
      renameSync(join(folder, "node_modules", name), aside);
      await body().finally(() => renameSync(aside, join(folder, "node_modules", name)));
    };
    it.each(["commander", "cli-progress"])("the command says in a line that %s is missing", (name) =>
      without(name, async () => {
        const { code, err } = await ptdit(["info"]);
        expect(code).toBe(1);
        expect(err).toMatch(new RegExp(`^error: .*${name}.*npm install ${name}\\n$`));
      }),
    );
    it("computing on a GPU says that webgpu is missing, and which version is wanted", async () => {
      const { code, err } = await ptdit(["info", "--device", "webgpu"]);
      expect(code).toBe(1);
      expect(err).toMatch(/^error: webgpu: .*`npm install webgpu@0\.6\.2`, or use wasm\(\)\.\n$/);
    });
    it("reading pictures says that pngjs is missing", () =>
      without("pngjs", async () => {
        const { code, err } = await ptdit(["train", "--data", "emoji:64", "--steps", "2", "--out", "never"]);
        expect(code).toBe(1);
        expect(err).toMatch(/^error: .*pngjs.*\n$/);
        expect(existsSync(join(folder, "never"))).toBe(false);
      }));
  });
});
