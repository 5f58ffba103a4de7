/** Rows of a sweep, for people and for spreadsheets. */
import type { SweepRow } from "../../src/ptdit/sweep.js";
import { type Column, tableLines } from "./table.js";

const measure = (value: number | null, digits: number): string => value?.toFixed(digits) ?? "-";

const columns: readonly Column<SweepRow>[] = [
  { title: "solver", cell: ({ sampling }) => sampling.method },
  { title: "steps", cell: ({ sampling }) => String(sampling.steps), right: true },
  { title: "guidance", cell: ({ sampling }) => String(sampling.guidance), right: true },
  // Without guidance there is nothing to say of where.
  { title: "at noise", cell: ({ sampling }) => (sampling.guidance === 1 ? "-" : sampling.guidanceInterval.join(" to ")) },
  { title: "predictions", cell: ({ predictions }) => String(predictions), right: true },
  { title: "top-1 %", cell: ({ judgement }) => measure(100 * judgement.top1, 1), right: true },
  { title: "top-5 %", cell: ({ judgement }) => measure(100 * judgement.top5, 1), right: true },
  { title: "PSNR", cell: ({ judgement }) => measure(judgement.psnr, 1), right: true },
  { title: "hf", cell: ({ judgement }) => measure(judgement.hf, 1), right: true },
];

/** Lines of a table. */
export const sweepLines = (rows: readonly SweepRow[]): string[] => tableLines(columns, rows);

/** What the file begins with tells it from other tables. */
const head = "solver,steps,guidance,from,to,predictions,captions,top1,top5,psnr,speckle,hf,seam";

/** The table as comma-separated values; what there is no measure of is empty. */
export function sweepCsv(rows: readonly SweepRow[]): string {
  const lines = rows.map(({ sampling, predictions, judgement }) => {
    const { method, steps, guidance, guidanceInterval } = sampling;
    const { captions, top1, top5, psnr, speckle, hf, seam } = judgement;
    return [method, steps, guidance, ...guidanceInterval, predictions, captions, top1, top5, psnr, speckle, hf, seam]
      .map((cell) => cell ?? "")
      .join(",");
  });
  return [head, ...lines, ""].join("\n");
}
