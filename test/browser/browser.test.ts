import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forBrowsers } from "../forBrowsers.js";

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
/** Headless, and quiet: nothing that calls out. */
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Pages by name: whether each is cross-origin isolated, and its Content-Security-Policy. */
const pages = {
  isolated: { isolated: true },
  plain: { isolated: false },
  "no-blob-workers": { isolated: true, policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" },
  "trusted-types": { isolated: true, policy: "require-trusted-types-for 'script'" },
  "no-compiling": { isolated: true, policy: "script-src 'self'; worker-src 'self' blob:" },
  "nothing-but-own": { isolated: true, policy: "default-src 'self'" },
  "compiled-elsewhere": { isolated: true, policy: "script-src 'self'; worker-src 'self' blob:" },
  "compiled-elsewhere-no-blob-workers": { isolated: true, policy: "default-src 'self'" },
} as const satisfies Readonly<Record<string, { readonly isolated: boolean; readonly policy?: string }>>;
type PageName = keyof typeof pages;

interface Found {
  readonly pictures?: unknown;
  readonly kept?: unknown;
  readonly threads?: number;
  readonly details?: readonly string[];
  readonly error?: string;
}

/** Only compiles: its own response forbids it nothing. */
const compiler = `fetch("/kernels").then((response) => response.arrayBuffer()).then((bytes) => WebAssembly.compile(bytes))
  .then((module) => postMessage(module), (error) => postMessage(String(error)));`;

// Without a browser this is a reported skip, not a pass.
describe.skipIf(!chromium)("in a browser", () => {
  const results = new Map<PageName, Found>();
  const profile = mkdtempSync(join(tmpdir(), "ptdit-browser-"));
  beforeAll(openAll, 180_000);
  // A browser that is still closing may hold on to its profile; the system's own cleaning takes what is left.
  afterAll(() => rm(profile, { recursive: true, force: true }).catch(() => undefined));
  const found = (page: PageName): Found => results.get(page) ?? { error: "the page posted nothing" };
  const right = { failed: [], checked: 6 };
  const told = (detail: string | RegExp) => expect.arrayContaining([expect.stringMatching(detail)]);

  it("verifies a fixture with threads where the page is cross-origin isolated", () => {
    expect(found("isolated")).toMatchObject(right);
    expect(found("isolated").threads).toBeGreaterThan(1);
  });

  it("reads the pictures that browsers write, and refuses those that are cut short", () => {
    const whole = { width: 20, height: 10, near: true };
    const types = ["image/png", "image/jpeg", "image/webp"];
    expect(found("isolated").pictures).toEqual(
      Object.fromEntries(types.flatMap((type) => [[type, whole] as const, [`${type}, cut`, "FormatError"] as const])),
    );
  });

  it("keeps a run, lets one page at a time have it, and goes on with it bit for bit", () => {
    expect(found("isolated").kept).toEqual({
      stopped: "begun step step sampled saved stopped",
      second: expect.stringMatching(/^ConfigError: browserStore: the run "a run" is in use by another page/),
      done: "begun step step saved done",
      equal: true,
      log: [2, 2, 4],
      holds: [true, false],
      failed: "FileError",
      whole: true,
    });
  });

  it("verifies a fixture on one thread where it is not, and says why", () => {
    expect(found("plain")).toMatchObject({ ...right, threads: 1, details: told("not cross-origin isolated") });
  });

  it.each(["isolated", "plain"] as const)("says why it chose its kernels, in numbers that are: page %s", (page) => {
    expect(found(page).details).toEqual(told(/^kernels: .*(fused here|not clearly faster|fastest here|does not fuse)/));
    expect(found(page).details?.join("\n")).not.toMatch(/Infinity|NaN/);
  });

  it("takes one thread where the page's policy forbids workers from blobs, and says what would allow them", () => {
    expect(found("no-blob-workers")).toMatchObject({ ...right, threads: 1, details: told(/^threads: 1: .*worker-src blob:/) });
  });

  it("takes one thread where scripts need trusted types, and says so", () => {
    expect(found("trusted-types")).toMatchObject({ ...right, threads: 1, details: told(/^threads: 1: .*TrustedScriptURL/) });
  });

  it.each(["no-compiling", "nothing-but-own"] as const)("names the option for compiled kernels: page %s", (page) => {
    expect(found(page).error).toMatch(
      /^DeviceError: wasm: WebAssembly may not be compiled here \(.+\)\. Give .*wasm\(\{ kernels \}\)/,
    );
    expect(found(page).error).toMatch(/'wasm-unsafe-eval' in script-src/);
  });

  it("runs kernels that were compiled elsewhere, with threads where they may start", () => {
    expect(found("compiled-elsewhere")).toMatchObject({ ...right, details: told("kernels: given by the caller") });
    expect(found("compiled-elsewhere").threads).toBeGreaterThan(1);
    const alone = { ...right, threads: 1, details: told(/^threads: 1: .*worker-src blob:/) };
    expect(found("compiled-elsewhere-no-blob-workers")).toMatchObject(alone);
  });

  /** Serves the pages on loopback, opens one after the other in one browser, and keeps what they post. */
  async function openAll(): Promise<void> {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
      format: "esm",
      ...forBrowsers,
      target: "es2022",
    });
    const scripts: Readonly<Record<string, string>> = { "/page.js": outputFiles[0].text, "/compile.js": compiler };
    const files: Readonly<Record<string, Uint8Array>> = {
      "/fixture": readFileSync(new URL("../fixtures/image.safetensors", import.meta.url)),
      "/kernels": readFileSync(new URL("../../dist/kernels/simd.wasm", import.meta.url)),
    };
    const waiting = Object.keys(pages) as PageName[];
    const next = () => (waiting.length > 0 ? `/?${waiting.shift()}` : "about:blank");
    await new Promise<void>((resolve) => {
      const server = createServer(async (request, response) => {
        const { pathname, search } = new URL(request.url ?? "/", "http://page");
        const name = search.slice(1) as PageName;
        const { isolated, policy }: { isolated: boolean; policy?: string } = pages[name] ?? { isolated: true };
        if (isolated) {
          response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
          response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
        }
        if (pathname === "/result") {
          results.set(name, JSON.parse(await bodyOf(request)) as Found);
          response.end(next());
          if (results.size === Object.keys(pages).length) finish();
        } else if (pathname === "/") {
          if (policy) response.setHeader("Content-Security-Policy", policy);
          response.setHeader("Content-Type", "text/html").end('<!doctype html><script type="module" src="/page.js"></script>');
        } else if (scripts[pathname]) response.setHeader("Content-Type", "text/javascript").end(scripts[pathname]);
        else if (files[pathname]) response.end(files[pathname]);
        else response.writeHead(404).end();
      });
      let browser: ReturnType<typeof spawn> | undefined;
      const finish = () => {
        clearTimeout(timer);
        browser?.kill();
        server.close();
        server.closeAllConnections();
        resolve();
      };
      // Pages that posted nothing until then are told by their tests.
      const timer = setTimeout(finish, 150_000);
      server.listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${next()}`;
        browser = spawn(chromium as string, [...flags, `--user-data-dir=${profile}`, url], { stdio: "ignore" });
      });
    });
  }
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request) body += piece;
  return body;
}
