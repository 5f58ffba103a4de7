import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceError } from "../src/base/errors.js";
import { bundled, ownScript } from "./bundle.js";
import { chromium, chromiumFlags, gpuFlags } from "./chromium.js";
import { type Connection, Contender, type Missing } from "./contender.js";
import type { Request } from "./protocol.js";

/** What the page is told: to start a script as a worker, to hand it a question, to end it. */
export type Order = { readonly id: number } & (
  | { readonly start: string }
  | { readonly request: Request }
  | { readonly end: true }
);

/** A page that has not asked for its orders by then will not. @units ms */
const startMs = 60_000;

/** A headless Chromium with one page, served on loopback, whose workers are contenders: all in one browser, on one adapter. */
export class Browser {
  private readonly workers: WorkerConnection[] = [];
  private readonly scripts = new Map<string, string>();
  private readonly profile = mkdtempSync(join(tmpdir(), "ptdit-bench-"));
  private readonly server = createServer((request, response) => {
    this.serve(request, response).catch(() => response.destroy());
  });
  private process: ChildProcess | undefined;
  private orders: ServerResponse | undefined;
  private shown: () => void = () => undefined;

  /** See `open`. */
  private constructor(private readonly files: Readonly<Record<string, string>>) {}

  /**
   * Opens it.
   * @param files paths of files that workers may fetch, by the paths of their URLs
   * @throws DeviceError when there is no Chromium, or it does not show the page
   */
  static async open(files: Readonly<Record<string, string>> = {}): Promise<Browser> {
    const browser = new Browser(files);
    try {
      await browser.launch();
      return browser;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** Starts a script as a worker; `words` are what it finds after the question mark of its URL. */
  async start(script: string, words: readonly string[] = []): Promise<Contender | Missing> {
    const bundle = await bundled(script);
    if (typeof bundle !== "string") return bundle;
    const id = this.workers.length;
    const url = `/${id}.js`;
    this.scripts.set(url, bundle);
    const worker = new WorkerConnection([script, ...words].join(" "), (order) => this.tell({ id, ...order }));
    this.workers.push(worker);
    this.tell({ id, start: `${url}?${words.join("&")}` });
    return Contender.meet(worker);
  }

  async close(): Promise<void> {
    // False where it has ended, or never started.
    if (this.process?.kill()) await once(this.process, "exit");
    this.server.close();
    this.server.closeAllConnections();
    // Its helpers may hold on to the profile a moment longer; the system's own cleaning takes what is left.
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }

  private async launch(): Promise<void> {
    if (!chromium) throw new DeviceError("bench: there is no Chromium here. Install it, or name its path in CHROMIUM.");
    const page = await bundled(ownScript("browserPage"));
    if (typeof page !== "string") throw new DeviceError(`bench: the page cannot be made: ${page.missing}`);
    this.scripts.set("/page.js", page);
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const { port } = this.server.address() as AddressInfo;
    const flags = [...chromiumFlags, ...gpuFlags, `--user-data-dir=${this.profile}`, `http://127.0.0.1:${port}/`];
    // It ends when its pipes do: with us, however we end.
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"] as const;
    const browser = spawn(chromium, ["--remote-debugging-pipe", ...flags], { stdio: [...stdio] });
    this.process = browser;
    browser.once("exit", () => {
      for (const worker of this.workers) worker.finish("the browser ended");
    });
    let timer: NodeJS.Timeout | undefined;
    const fault = await new Promise<string | undefined>((resolve) => {
      timer = setTimeout(() => resolve(`not within ${startMs / 1000} s`), startMs);
      this.shown = () => resolve(undefined);
      browser.once("error", ({ message }) => resolve(message));
      browser.once("exit", (code, signal) => resolve(`it ended with ${code ?? signal}`));
    });
    clearTimeout(timer);
    if (fault !== undefined) throw new DeviceError(`bench: ${chromium} showed no page: ${fault}. Name another in CHROMIUM.`);
  }

  private tell(order: Order): void {
    this.orders?.write(`data: ${JSON.stringify(order)}\n\n`);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? "/", "http://page");
    // A page that is isolated from others has a clock of microseconds.
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const script = this.scripts.get(pathname);
    if (pathname === "/")
      response.setHeader("Content-Type", "text/html").end('<!doctype html><script type="module" src="/page.js"></script>');
    else if (pathname === "/orders") {
      response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
      this.orders = response;
      this.shown();
    } else if (pathname === "/answer") {
      let answer = "";
      for await (const piece of request) answer += piece;
      response.end();
      this.workers[Number(search.slice(1))]?.receive(answer);
    } else if (script !== undefined) response.setHeader("Content-Type", "text/javascript").end(script);
    else if (Object.hasOwn(this.files, pathname)) {
      response.setHeader("Content-Type", pathname.endsWith(".wasm") ? "application/wasm" : "application/octet-stream");
      response.end(await readFile(this.files[pathname]));
    } else response.writeHead(404).end();
  }
}

/** A worker of the page. */
class WorkerConnection implements Connection {
  private readonly answers: string[] = [];
  private waiting: ((answer: string | undefined) => void) | undefined;
  private ended: string | undefined;

  constructor(
    readonly what: string,
    private readonly tell: (order: { readonly request: Request } | { readonly end: true }) => void,
  ) {}

  send(request: Request): void {
    this.tell({ request });
  }

  async next(): Promise<string | undefined> {
    if (this.answers.length > 0) return this.answers.shift();
    if (this.ended !== undefined) return undefined;
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  receive(answer: string): void {
    if (this.waiting) this.waiting(answer);
    else this.answers.push(answer);
    this.waiting = undefined;
  }

  fate(): string {
    return this.ended ?? "it said nothing";
  }

  end(): void {
    this.tell({ end: true });
    this.finish("it was ended");
  }

  /** There will be no more answers. */
  finish(why: string): void {
    this.ended ??= why;
    this.waiting?.(undefined);
    this.waiting = undefined;
  }
}
