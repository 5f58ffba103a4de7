import { appendFile, readFile } from "node:fs/promises";
import { fileError, writeFileAtomic } from "../src/node/atomicFile.js";
import { timestepBins } from "../src/ptdit/evaluate.js";
import type { StepReport } from "../src/ptdit/trainer.js";

/** One line of `log.jsonl`: averages since the line before. */
export interface LogLine {
  readonly step: number;
  readonly loss: number;
  readonly smoothedLoss: number;
  readonly gradientNorm: number;
  readonly lr: number;
  readonly imagesPerSecond: number;
  /** Mean loss of the samples whose noise part u fell in each tenth; null where none did. */
  readonly lossByTimestep: readonly (number | null)[];
}

/** A line that says where a run was resumed, and with what. */
export interface ResumeLine {
  readonly step: number;
  /** What took another value, by name. */
  readonly resumed: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The log of a run as JSON lines. */
export class RunLog {
  private reports: StepReport[] = [];
  readonly lines: LogLine[] = [];
  smoothedLoss: number | null;

  private constructor(
    private readonly path: string,
    smoothedLoss: number | null,
  ) {
    this.smoothedLoss = smoothedLoss;
  }

  /** Opens a run's log, dropping what a lost continuation wrote after `step`. */
  static async open(path: string, step: number, smoothedLoss: number | null): Promise<RunLog> {
    const log = new RunLog(path, smoothedLoss);
    const kept: (LogLine | ResumeLine)[] = [];
    for (const line of step > 0 ? (await textOf(path)).split("\n") : []) {
      try {
        const own = JSON.parse(line) as LogLine | ResumeLine;
        if (!(own.step <= step)) continue;
        kept.push(own);
        if (!("resumed" in own)) log.lines.push(own);
      } catch {
        // A line cut by a kill: its step is taken again.
      }
    }
    await writeFileAtomic(path, new TextEncoder().encode(kept.map((line) => `${JSON.stringify(line)}\n`).join("")));
    return log;
  }

  /** Notes a step. */
  add(report: StepReport): void {
    this.reports.push(report);
    this.smoothedLoss = this.smoothedLoss === null ? report.loss : 0.98 * this.smoothedLoss + 0.02 * report.loss;
  }

  /** Writes a line of what was noted since the last. */
  async flush(imagesPerSecond: number): Promise<void> {
    const { reports } = this;
    const last = reports.at(-1);
    if (!last) return;
    const average = (of: (report: StepReport) => number) =>
      reports.reduce((sum, report) => sum + of(report), 0) / reports.length;
    const sums = Array.from({ length: timestepBins }, () => ({ loss: 0, count: 0 }));
    for (const { times, losses } of reports) {
      times.forEach((u, i) => {
        const bin = sums[Math.min(timestepBins - 1, Math.floor(u * timestepBins))];
        bin.loss += losses[i];
        bin.count++;
      });
    }
    const line: LogLine = {
      step: last.step,
      loss: average(({ loss }) => loss),
      smoothedLoss: this.smoothedLoss ?? last.loss,
      gradientNorm: average(({ gradientNorm }) => gradientNorm),
      lr: last.lr,
      imagesPerSecond,
      lossByTimestep: sums.map(({ loss, count }) => (count > 0 ? loss / count : null)),
    };
    this.lines.push(line);
    this.reports = [];
    await this.append(line);
  }

  /** Writes where a run was resumed. */
  async note(line: ResumeLine): Promise<void> {
    await this.append(line);
  }

  private async append(line: LogLine | ResumeLine): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(line)}\n`).catch((error) => {
      throw fileError(this.path, "could not be written", error);
    });
  }
}

/** A log's text; empty when there is none. */
async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw fileError(path, "could not be read", error);
  });
}
