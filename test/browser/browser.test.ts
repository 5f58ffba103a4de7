import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

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

// Without a browser this is a reported skip, not a pass.
describe.skipIf(!chromium)("in a browser", () => {
  let script = "";
  const profiles: string[] = [];
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
      bundle: true,
      format: "esm",
      platform: "browser",
      external: ["node:*"],
      write: false,
      target: "es2022",
    });
    script = outputFiles[0]!.text;
  });

  // A browser that is still closing may hold on to its profile; the system's own cleaning takes what is left.
  afterAll(async () => {
    for (const profile of profiles) await rm(profile, { recursive: true, force: true }).catch(() => undefined);
  });

  it("verifies a fixture with threads where the page is cross-origin isolated", async () => {
    const result = await open(true);
    expect(result).toMatchObject({ failed: [], checked: 6 });
    expect(result.threads).toBeGreaterThan(1);
    const whole = { width: 20, height: 10, near: true };
    const types = ["image/png", "image/jpeg", "image/webp"];
    expect(result.pictures).toEqual(
      Object.fromEntries(types.flatMap((type) => [[type, whole] as const, [`${type}, cut`, "FormatError"] as const])),
    );
  });

  it("verifies a fixture on one thread where it is not, and says why", async () => {
    expect(await open(false)).toMatchObject({
      failed: [],
      checked: 6,
      threads: 1,
      details: expect.arrayContaining([expect.stringContaining("not cross-origin isolated")]),
    });
  });

  /** Serves the page on loopback, opens it, and returns what it posts. */
  async function open(isolated: boolean): Promise<{ threads: number; pictures: unknown }> {
    const profile = mkdtempSync(join(tmpdir(), "ptdit-browser-"));
    profiles.push(profile);
    const fixture = readFileSync(new URL("../fixtures/image.safetensors", import.meta.url));
    const page = '<!doctype html><script type="module" src="/page.js"></script>';
    return new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        if (isolated)
          response
            .setHeader("Cross-Origin-Opener-Policy", "same-origin")
            .setHeader("Cross-Origin-Embedder-Policy", "require-corp");
        if (request.url === "/result") {
          let body = "";
          request.on("data", (piece) => {
            body += piece;
          });
          request.on("end", () => {
            response.end();
            finish();
            resolve(JSON.parse(body));
          });
        } else if (request.url === "/") response.setHeader("Content-Type", "text/html").end(page);
        else if (request.url === "/page.js") response.setHeader("Content-Type", "text/javascript").end(script);
        else if (request.url === "/fixture") response.end(fixture);
        else response.writeHead(404).end();
      });
      let browser: ReturnType<typeof spawn> | undefined;
      const timer = setTimeout(() => {
        finish();
        reject(new Error("the page posted nothing within 60 seconds"));
      }, 60_000);
      const finish = () => {
        clearTimeout(timer);
        browser?.kill();
        server.close();
      };
      server.listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
        browser = spawn(chromium as string, [...flags, `--user-data-dir=${profile}`, url], { stdio: "ignore" });
      });
    });
  }
});
