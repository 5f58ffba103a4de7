/** Rows of a sweep, for people and for spreadsheets. */
import type { SweepRow } from "../../src/ptdit/sweep.js";
import { type Column, tableLines } from "./table.js";

const measure = (value: number | null | undefined, digits: number): string => value?.toFixed(digits) ?? "-";

const columns: readonly Column<SweepRow>[] = [
  { title: "solver", cell: ({ sampling }) => sampling.method },
  { title: "steps", cell: ({ sampling }) => String(sampling.steps), right: true },
  { title: "guidance", cell: ({ sampling }) => `${sampling.cfgZero ? "CFG-Zero* " : ""}${sampling.guidance}`, right: true },
  // Without guidance there is nothing to say of where.
  { title: "at noise", cell: ({ sampling }) => (sampling.guidance === 1 ? "-" : sampling.guidanceInterval.join(" to ")) },
  { title: "predictions", cell: ({ predictions }) => String(predictions), right: true },
  { title: "top-1 %", cell: ({ judgement }) => measure(100 * judgement.top1, 1), right: true },
  { title: "top-5 %", cell: ({ judgement }) => measure(100 * judgement.top5, 1), right: true },
  { title: "PSNR", cell: ({ judgement }) => measure(judgement.psnr, 1), right: true },
  { title: "hf", cell: ({ judgement }) => measure(judgement.hf, 1), right: true },
  { title: "KID", cell: ({ kid }) => measure(kid?.value, 3), right: true },
];

/** Lines of a table. */
export const sweepLines = (rows: readonly SweepRow[]): string[] => tableLines(columns, rows);

/** What the file begins with tells it from other tables. */
const head = "solver,steps,guidance,from,to,cfgZero,predictions,captions,top1,top5,psnr,speckle,hf,seam,kid";

/** The table as comma-separated values; what there is no measure of is empty. */
export function sweepCsv(rows: readonly SweepRow[]): string {
  const lines = rows.map(({ sampling, predictions, judgement, kid }) => {
    const { method, steps, guidance, guidanceInterval, cfgZero } = sampling;
    const { captions, top1, top5, psnr, speckle, hf, seam } = judgement;
    const way = [method, steps, guidance, ...guidanceInterval, cfgZero, predictions];
    return [...way, captions, top1, top5, psnr, speckle, hf, seam, kid?.value].map((cell) => cell ?? "").join(",");
  });
  return [head, ...lines, ""].join("\n");
}
