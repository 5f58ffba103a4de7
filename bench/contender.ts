import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { DeviceError } from "../src/base/errors.js";
import type { Answer, Case, Prepared, Ready, Request } from "./protocol.js";

/** An engine that takes longer over one answer is given up: a bench of minutes a step tells nobody more.
 *  @units ms */
const patienceMs = 300_000;

/** How a program is spoken to, wherever it runs: a JSON object for each question, and one for each answer. */
export interface Connection {
  /** What people call it. */
  readonly what: string;
  send(request: Request): void;
  /** The next answer, or undefined when none will come. */
  next(): Promise<string | undefined>;
  /** Why no answer will come. */
  fate(): string;
  end(): void;
}

export interface Missing {
  readonly missing: string;
}

/** A program that times what it is told to: ours or another engine's. */
export class Contender {
  private gaveUp = false;

  private constructor(private readonly connection: Connection) {}

  peer = "";
  version = "";
  threads = 0;
  startMs = 0;
  adapter: Ready["adapter"];

  /** Starts a program in a process of its own. Returns why when it says that it cannot run here. */
  static start(command: string, args: readonly string[]): Promise<Contender | Missing> {
    return Contender.meet(new ProcessConnection(command, args));
  }

  /** Waits for a program's first word. Returns why when it says that it cannot run here. */
  static async meet(connection: Connection): Promise<Contender | Missing> {
    const contender = new Contender(connection);
    const first = await contender.next();
    if ("ready" in first) return Object.assign(contender, first);
    contender.end();
    return { missing: "missing" in first ? first.missing : "unsupported" in first ? first.unsupported : JSON.stringify(first) };
  }

  /** One question, one answer. An engine that dies over it (of memory or our patience) did not support it. */
  async ask(request: Request): Promise<Answer> {
    this.connection.send(request);
    return this.next();
  }

  async prepare(what: Case): Promise<Prepared | { readonly unsupported: string }> {
    const answer = await this.ask({ prepare: what });
    return "prepared" in answer ? answer : "unsupported" in answer ? answer : { unsupported: JSON.stringify(answer) };
  }

  /** Why the last runs have no times, if they have none. */
  fault: string | undefined;

  /** Times of so many runs; none where they failed.
   *  @units ms */
  async run(count: number): Promise<readonly number[]> {
    const answer = await this.ask({ run: count });
    this.fault = "times" in answer ? undefined : "unsupported" in answer ? answer.unsupported : JSON.stringify(answer);
    return "times" in answer ? answer.times : [];
  }

  end(): void {
    this.connection.end();
  }

  private async next(): Promise<Answer> {
    const timer = setTimeout(() => {
      this.gaveUp = true;
      this.connection.end();
    }, patienceMs);
    const line = await this.connection.next();
    clearTimeout(timer);
    if (line !== undefined) return JSON.parse(line) as Answer;
    const { what } = this.connection;
    return { unsupported: `${what} ${this.gaveUp ? "took too long" : `ended: ${this.connection.fate()}`}` };
  }
}

/** A program in a process of its own, spoken to over its input and output. */
class ProcessConnection implements Connection {
  readonly what: string;
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;
  /** When it has ended; when it could not be started. */
  private readonly exited: Promise<undefined>;
  private readonly failed: Promise<undefined>;
  private failure: string | undefined;

  constructor(command: string, args: readonly string[]) {
    this.what = args.join(" ");
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
    this.exited = new Promise((resolve) => this.child.once("exit", () => resolve(undefined)));
    this.failed = new Promise((resolve) =>
      this.child.once("error", ({ message }) => {
        this.failure = message;
        resolve(undefined);
      }),
    );
    if (!this.child.stdout) throw new DeviceError(`bench: ${this.what} has no output to read.`);
    // An engine that has died reads no more.
    this.child.stdin?.on("error", () => undefined);
    this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  send(request: Request): void {
    if (this.child.exitCode === null) this.child.stdin?.write(`${JSON.stringify(request)}\n`);
  }

  async next(): Promise<string | undefined> {
    const answer = await Promise.race([this.answers.next(), this.failed]);
    return answer === undefined || answer.done ? Promise.race([this.exited, this.failed]) : answer.value;
  }

  fate(): string {
    return this.failure ?? String(this.child.exitCode ?? this.child.signalCode ?? "no code");
  }

  end(): void {
    this.child.stdin?.end();
    this.child.kill();
  }
}
