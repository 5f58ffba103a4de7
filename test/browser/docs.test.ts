import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { chromium } from "../../bench/chromium.js";
import { forBrowsers } from "../forBrowsers.js";
import { blocks } from "../package/readme.js";
import { skipWithoutAdapter, visit } from "./chromium.js";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Found {
  readonly error?: string;
  /** Of the picture. */
  readonly floats?: number;
  readonly allFinite?: boolean;
  readonly least?: number;
  readonly most?: number;
}

/** Asks the worker for a picture of few steps. */
const page = `<!doctype html><script type="module">
  const post = (found) => fetch("/result" + location.search, { method: "POST", body: JSON.stringify(found) });
  addEventListener("error", ({ message }) => post({ error: message }));
  const worker = new Worker("/worker.js", { type: "module" });
  worker.onmessage = ({ data }) =>
    post({ floats: data.length, least: Math.min(...data), most: Math.max(...data), allFinite: data.every(Number.isFinite) });
  worker.onerror = ({ message }) => post({ error: message });
  worker.postMessage("red heart");
</script>`;

it.skipIf(!chromium)(
  "the worker of docs/webgpu-use.md draws what it is asked for",
  async ({ skip }) => {
    const [worker, ...others] = blocks("js", "docs/webgpu-use.md");
    expect(others).toEqual([]);
    const { outputFiles } = await build({
      ...forBrowsers,
      stdin: {
        contents: `addEventListener("unhandledrejection", ({ reason }) => { throw reason; });\n${worker}`,
        resolveDir: at("."),
      },
      format: "esm",
      target: "es2022",
      alias: { ...forBrowsers.alias, ptdit: at("../../src/index.ts"), "ptdit/model": at("../../src/ptdit/index.ts") },
    });
    const checkpoint = readFileSync(at("../fixtures/runs/format-1/checkpoint.safetensors"));
    const results = await visit<"worker", Found>(
      ["worker"],
      ({ pathname }, response) => {
        if (pathname === "/") response.setHeader("Content-Type", "text/html").end(page);
        else if (pathname === "/worker.js") response.setHeader("Content-Type", "text/javascript").end(outputFiles[0].text);
        else if (pathname === "/checkpoint.safetensors") response.end(checkpoint);
        else response.writeHead(404).end();
      },
      240_000,
    );
    const { error, floats, allFinite, least, most } = results.get("worker") ?? { error: "the page posted nothing" };
    skipWithoutAdapter(skip, error);
    expect(error).toBeUndefined();
    expect({ floats, allFinite }).toEqual({ floats: 3 * 8 * 8, allFinite: true });
    expect(most).toBeGreaterThan(Number(least));
  },
  260_000,
);
