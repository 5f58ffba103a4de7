/** The log of a run as a table of comma-separated values, for spreadsheets and plots. */
import { timestepBins } from "../evaluate.js";
import { isLogLine, type LogEntry, type LogLine } from "./log.js";

const columns = ["step", "loss", "smoothedLoss", "gradientNorm", "lr", "imagesPerSecond"] as const satisfies (keyof LogLine)[];
/** Of every tenth of the noise part u: `loss0` is that of 0..0.1. */
const bins = Array.from({ length: timestepBins }, (_, bin) => `loss${bin}`);

/** The table's first line. */
export const logTableHead = `${[...columns, ...bins].join(",")}\n`;

/** Rows of the lines of averages; where a run was resumed is told by the log alone. A cell without a number is empty. */
export const logTableRows = (entries: readonly LogEntry[]): string =>
  entries
    .filter(isLogLine)
    .map((line) => {
      // Somebody may have shortened a line by hand.
      const { lossByTimestep: losses = [] } = line;
      const cells = [...columns.map((name) => line[name]), ...bins.map((_, bin) => losses[bin])];
      return `${cells.map((cell) => cell ?? "").join(",")}\n`;
    })
    .join("");
