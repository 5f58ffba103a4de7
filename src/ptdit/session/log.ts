/** The log of a run: what its steps said, some of them to a line. */
import { timestepBins } from "../evaluate.js";
import type { StepReport } from "../stepReport.js";

/** One line of a log: averages since the line before. */
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

export type LogEntry = LogLine | ResumeLine;

/** Steps between lines. */
export const logEvery = 10;

/** Gathers what steps say until it makes a line. */
export class RunLog {
  private reports: StepReport[] = [];

  constructor(
    /** Smoothed loss so far; null before the first step. */
    public smoothedLoss: number | null,
  ) {}

  /** Notes a step. Returns the smoothed loss. */
  add(report: StepReport): number {
    this.reports.push(report);
    this.smoothedLoss = this.smoothedLoss === null ? report.loss : 0.98 * this.smoothedLoss + 0.02 * report.loss;
    return this.smoothedLoss;
  }

  /** A line of what was noted since the last; undefined: nothing was. */
  line(imagesPerSecond: number): LogLine | undefined {
    const { reports } = this;
    const last = reports.at(-1);
    if (!last) return undefined;
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
    this.reports = [];
    return {
      step: last.step,
      loss: average(({ loss }) => loss),
      smoothedLoss: this.smoothedLoss ?? last.loss,
      gradientNorm: average(({ gradientNorm }) => gradientNorm),
      lr: last.lr,
      imagesPerSecond,
      lossByTimestep: sums.map(({ loss, count }) => (count > 0 ? loss / count : null)),
    };
  }
}

/** A log's lines up to a step, from JSON lines: what a lost continuation wrote after it is left out. */
export function parseLog(text: string, step: number): LogEntry[] {
  const kept: LogEntry[] = [];
  for (const line of step > 0 ? text.split("\n") : []) {
    try {
      const own: LogEntry = JSON.parse(line);
      if (own.step <= step) kept.push(own);
    } catch {
      // A line cut by a kill: its step is taken again.
    }
  }
  return kept;
}

/** Lines of a log as JSON lines. */
export const formatLog = (entries: readonly LogEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

/** Lines of averages alone. */
export const isLogLine = (entry: LogEntry): entry is LogLine => !("resumed" in entry);
