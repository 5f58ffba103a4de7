/** Wishes to stop: Ctrl-C, a signal, a terminal that has gone. A training sees them between two steps, saves and ends. */

/** Signals that ask a process to end; the last is Windows' Ctrl-Break. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const;
/** npm passes a Ctrl-C on that the process got already: a second one counts only after this long. */
const echoMs = 1000;

let watching: StopRequest | undefined;

export class StopRequest {
  /** What was asked for; undefined: nothing. */
  reason: string | undefined;
  private since = 0;
  /** As an `AbortSignal` says it. */
  get aborted(): boolean {
    return this.reason !== undefined;
  }
  private readonly onSignal = (signal: NodeJS.Signals) => {
    if (this.reason === undefined) {
      this.ask(signal === "SIGINT" ? "Ctrl-C" : signal);
      if (signal === "SIGINT" && process.stderr.isTTY)
        process.stderr.write("\nstopping after this step; Ctrl-C again ends without saving\n");
    } else if (signal === "SIGINT" && performance.now() - this.since > echoMs) {
      if (process.stderr.isTTY) process.stderr.write("\x1b[?25h"); // the progress line hid the cursor
      process.exit(130);
    }
  };

  /** Watches from now on, until `end`. */
  begin(): this {
    watching = this;
    for (const signal of signals) process.on(signal, this.onSignal);
    return this;
  }

  end(): void {
    if (watching === this) watching = undefined;
    for (const signal of signals) process.off(signal, this.onSignal);
  }

  ask(reason: string): void {
    this.reason ??= reason;
    this.since ||= performance.now();
  }
}

/**
 * What to do when output cannot be written. A reader that has seen enough (`ptdit … | head`) is no error; a terminal that was
 * closed under a training asks it to stop, and it saves.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (watching) watching.ask("its output was closed");
      else process.exit(error.code === "EPIPE" ? 0 : 1);
    });
  }
}
