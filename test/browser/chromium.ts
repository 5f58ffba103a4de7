/** Opens pages in a headless Chromium, one after the other, and keeps what each posts. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, chromiumFlags } from "../../bench/chromium.js";

/**
 * Opens `/?name` for each name, served on loopback by `serve`. A page posts JSON to `/result?name` and goes where the answer says.
 * @param patience after which pages that posted nothing are given up @units ms
 * @returns what was posted, by name
 */
export async function visit<Name extends string, Found>(
  names: readonly Name[],
  serve: (url: URL, response: ServerResponse) => void,
  patience = 300_000,
): Promise<Map<Name, Found>> {
  const results = new Map<Name, Found>();
  const waiting = [...names];
  const next = () => (waiting.length > 0 ? `/?${waiting.shift()}` : "about:blank");
  const profile = mkdtempSync(join(tmpdir(), "ptdit-browser-"));
  await new Promise<void>((resolve) => {
    const server = createServer(async (request, response) => {
      const url = new URL(request.url ?? "/", "http://page");
      if (url.pathname !== "/result") return serve(url, response);
      const name = names.find((one) => `?${one}` === url.search);
      if (name !== undefined) results.set(name, JSON.parse(await bodyOf(request)));
      response.end(next());
      if (results.size === names.length) finish();
    });
    let browser: ReturnType<typeof spawn> | undefined;
    const finish = () => {
      clearTimeout(timer);
      browser?.kill();
      server.close();
      server.closeAllConnections();
      resolve();
    };
    const timer = setTimeout(finish, patience);
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${next()}`;
      browser = spawn(chromium ?? "chromium", [...chromiumFlags, `--user-data-dir=${profile}`, url], { stdio: "ignore" });
    });
  });
  // A browser that is still closing may hold on to its profile; the system's own cleaning takes what is left.
  await rm(profile, { recursive: true, force: true }).catch(() => undefined);
  return results;
}

/** Lets a page share memory among threads. */
export function isolate(response: ServerResponse): void {
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request) body += piece;
  return body;
}
