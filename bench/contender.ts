import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { DeviceError } from "../src/base/errors.js";
import type { Answer, Case, Prepared, Ready, Request } from "./protocol.js";

/** An engine that takes longer over one answer is given up: a bench of minutes a step tells nobody more.
 *  @units ms */
const patienceMs = 300_000;

/** A program that times what it is told to, in a process of its own: ours or another engine's. */
export class Contender {
  private readonly answers: AsyncIterator<string>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly what: string,
  ) {
    if (!child.stdout) throw new DeviceError(`bench: ${what} has no output to read.`);
    // An engine that has died reads no more.
    child.stdin?.on("error", () => undefined);
    this.answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  peer = "";
  version = "";
  threads = 0;
  startMs = 0;

  /** Starts a program. Returns why when it says that it cannot run here. */
  static async start(command: string, args: readonly string[]): Promise<Contender | { readonly missing: string }> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
    const failed = new Promise<{ missing: string }>((resolve) =>
      child.once("error", (error) => resolve({ missing: error.message })),
    );
    const contender = new Contender(child, args.join(" "));
    const first = await Promise.race([contender.next(), failed]);
    if ("missing" in first) {
      contender.end();
      return first;
    }
    Object.assign(contender, first as Ready);
    return contender;
  }

  /** One question, one answer. An engine that dies over it (of memory or our patience) did not support it. */
  async ask(request: Request): Promise<Answer> {
    if (this.child.exitCode === null) this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.next();
  }

  async prepare(what: Case): Promise<Prepared | { readonly unsupported: string }> {
    const answer = await this.ask({ prepare: what });
    return "prepared" in answer ? answer : "unsupported" in answer ? answer : { unsupported: JSON.stringify(answer) };
  }

  /** Times of so many runs.
   *  @units ms */
  async run(count: number): Promise<readonly number[]> {
    const answer = await this.ask({ run: count });
    return "times" in answer ? answer.times : [];
  }

  end(): void {
    this.child.stdin?.end();
    this.child.kill();
  }

  private async next(): Promise<Answer> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), patienceMs);
    const { value, done } = await this.answers.next();
    clearTimeout(timer);
    if (done) {
      const { killed, exitCode, signalCode } = this.child;
      return { unsupported: `${this.what} ${killed ? "took too long" : `ended: ${exitCode ?? signalCode ?? "no code"}`}` };
    }
    return JSON.parse(value) as Answer;
  }
}
