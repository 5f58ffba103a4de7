import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { chromium } from "../../bench/chromium.js";
import { bundled, isolate, skipWithoutAdapter, visit } from "./chromium.js";

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
  webgpu: { isolated: false },
  "webgpu-in-a-worker": { isolated: false },
} as const satisfies Readonly<Record<string, { readonly isolated: boolean; readonly policy?: string }>>;
type PageName = keyof typeof pages;

interface Found {
  readonly pictures?: unknown;
  readonly kept?: unknown;
  readonly threads?: number;
  readonly details?: readonly string[];
  readonly tuned?: readonly string[];
  readonly error?: string;
}

/** Only compiles: its own response forbids it nothing. */
const compiler = `fetch("/kernels").then((response) => response.arrayBuffer()).then((bytes) => WebAssembly.compile(bytes))
  .then((module) => postMessage(module), (error) => postMessage(String(error)));`;

// Without a browser this is a reported skip, not a pass.
describe.skipIf(!chromium)("in a browser", () => {
  let results = new Map<PageName, Found>();
  beforeAll(openAll, 330_000);
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

  it("verifies a fixture on WebGPU", ({ skip }) => {
    skipWithoutAdapter(skip, found("webgpu").error);
    expect(found("webgpu")).toMatchObject({ failed: [], checked: 4 });
  });

  it.for(["webgpu", "webgpu-in-a-worker"] as const)(
    "says its adapter on WebGPU, keeps measurements: page %s",
    (page, { skip }) => {
      skipWithoutAdapter(skip, found(page).error);
      expect(found(page)).toMatchObject({ details: told(/^adapter: /) });
      // Pages share the origin's files, so only the first to come has anything to measure.
      expect(found(page).tuned?.[1]).toBe("tuning: tiles of 1 kinds of products by measurement, 0 of them now");
      expect(found(page)).toMatchObject({
        named: expect.stringMatching(
          /^ConfigError: webgpu: browsers do not choose an adapter by its name, got adapter "some GPU"/,
        ),
      });
    },
  );

  async function openAll(): Promise<void> {
    const scripts: Readonly<Record<string, string>> = {
      "/page.js": await bundled("page.ts"),
      "/gpuWorker.js": await bundled("gpuWorker.ts"),
      "/compile.js": compiler,
    };
    const files: Readonly<Record<string, Uint8Array>> = {
      "/fixture": readFileSync(new URL("../fixtures/image.safetensors", import.meta.url)),
      "/small-fixture": readFileSync(new URL("../fixtures/own_zeroinit.safetensors", import.meta.url)),
      "/kernels": readFileSync(new URL("../../dist/kernels/simd.wasm", import.meta.url)),
    };
    results = await visit(Object.keys(pages) as PageName[], ({ pathname, search }, response) => {
      const { isolated, policy }: { isolated: boolean; policy?: string } = pages[search.slice(1) as PageName] ?? {
        isolated: true,
      };
      if (isolated) isolate(response);
      if (pathname === "/") {
        if (policy) response.setHeader("Content-Security-Policy", policy);
        response.setHeader("Content-Type", "text/html").end('<!doctype html><script type="module" src="/page.js"></script>');
      } else if (scripts[pathname]) response.setHeader("Content-Type", "text/javascript").end(scripts[pathname]);
      else if (files[pathname]) response.end(files[pathname]);
      else response.writeHead(404).end();
    });
  }
});
