/** Every entry of the installed package, bundled as pages do it, and what pages of a browser find it to do. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { isolate, visit } from "../browser/chromium.js";
import { type Bundler, type BundlerName, bundlers } from "./bundlers.js";

const pages = fileURLToPath(new URL("pages", import.meta.url));
/** Scripts of pages, each for the entry of its name. */
export const scripts = readdirSync(pages).map((file) => file.replace(/\.js$/, ""));

/** By bundler: where its bundles are, or why there are none. */
export type Bundles = ReadonlyMap<BundlerName, { readonly out: string } | { readonly fault: string }>;

/** Bundles all scripts by each bundler, in the folder where the package is installed. */
export async function bundleAll(folder: string): Promise<Bundles> {
  cpSync(pages, join(folder, "pages"), { recursive: true });
  const entries = Object.fromEntries(scripts.map((name) => [name, join(folder, "pages", `${name}.js`)]));
  const making = (Object.entries(bundlers) as [BundlerName, Bundler][]).map(async ([name, { bundle }]) => {
    const out = join(folder, "bundles", name);
    return bundle(entries, folder, out).then(
      () => [name, { out }] as const,
      (error: Error) => [name, { fault: error.message }] as const,
    );
  });
  return new Map<BundlerName, { readonly out: string } | { readonly fault: string }>(await Promise.all(making));
}

const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".wasm": "application/wasm" };

/** What the scripts of each bundler's page give: by script what it found, or the error; and the files that they fetched. */
export interface Opened {
  readonly found: ReadonlyMap<BundlerName, Record<string, unknown>>;
  readonly fetched: ReadonlyMap<BundlerName, readonly string[]>;
}

export async function openAll(bundles: Bundles): Promise<Opened> {
  const names = [...bundles].flatMap(([name, made]) => ("out" in made ? [name] : []));
  const fetched = new Map(names.map((name) => [name, [] as string[]]));
  const found = await visit<BundlerName, Record<string, unknown>>(names, ({ pathname, search }, response) => {
    isolate(response);
    const opened = names.find((name) => search === `?${name}`);
    if (pathname === "/" && opened) return void response.setHeader("Content-Type", "text/html").end(page(opened));
    // Vite's pages stand at the root of their server.
    const name = names.find((one) => pathname.startsWith(`/${one}/`)) ?? "Vite";
    const made = bundles.get(name);
    fetched.get(name)?.push(pathname);
    try {
      if (!made || !("out" in made)) throw new Error("no bundle");
      const bytes = readFileSync(join(made.out, pathname.replace(`/${name}/`, "/")));
      response.setHeader("Content-Type", types[extname(pathname)] ?? "application/octet-stream").end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  return { found, fetched };

  function page(name: BundlerName): string {
    const made = bundles.get(name);
    const files = made && "out" in made ? readdirSync(made.out, { recursive: true, encoding: "utf8" }) : [];
    const kind = bundlers[name].script === "module" ? 'type="module"' : "defer";
    const tags = scripts.map((script) => {
      const file = files.find((one) => new RegExp(`^(?:assets/)?${script}(?:-[\\w-]{8})?\\.js$`).test(one));
      return `<script ${kind} src="/${name}/${file}"></script>`;
    });
    return `<!doctype html><script>globalThis.found = {};</script>${tags.join("")}<script type="module">
      const found = {};
      for (const name of ${JSON.stringify(scripts)})
        found[name] = await Promise.resolve(globalThis.found[name] ?? "did not run").catch((error) => String(error.stack ?? error));
      const next = await fetch("/result" + location.search, { method: "POST", body: JSON.stringify(found) });
      location.href = await next.text();
    </script>`;
  }
}

/** A page that only samples, as the README writes it. */
const sampler = `import { wasm } from "ptdit";
import { averagedPipeline, Generator, readCheckpoint } from "ptdit/model";
const saved = readCheckpoint(new Uint8Array(await (await fetch("checkpoint.safetensors")).arrayBuffer()));
const { flow, size } = saved.run;
const generator = new Generator(await wasm(), averagedPipeline(saved), flow, size);
console.log(await generator.pictures(["red heart"]));`;

/** What such a page fetches of a minified, split bundle: the code, and the kernels by build. @units bytes as gzip packs them */
export async function samplerBytes(
  folder: string,
): Promise<{ readonly code: number; readonly builds: Record<string, number> }> {
  mkdirSync(join(folder, "pages"), { recursive: true });
  writeFileSync(join(folder, "pages/sampler.mjs"), sampler);
  const { outputFiles } = await build({
    entryPoints: [join(folder, "pages/sampler.mjs")],
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    outdir: "unused",
    write: false,
  });
  const builds: Record<string, number> = {};
  let code = 0;
  for (const { path, contents } of outputFiles) {
    const bytes = gzipSync(contents, { level: 9 }).length;
    const build = /\/(\w+)\.generated-\w+\.js$/.exec(path)?.[1];
    if (build) builds[build] = bytes;
    else code += bytes;
  }
  return { code, builds };
}
