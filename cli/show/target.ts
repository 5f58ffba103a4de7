import type { Target } from "../../src/backend/target.js";
import { showBytes } from "../../src/program/print.js";

/** Reductions that show how a device cuts them: [outer, rows, inner], summed over the rows. */
const reductions = {
  "1048576 numbers": [1, 1048576, 1],
  "64 rows of 16384 numbers": [64, 16384, 1],
  "65536 rows of 256 numbers, row by row": [1, 65536, 256],
} as const;

const heldForms = { plain: "read as they stand", panels: "packed once", halves: "kept in 16 bits" } as const;

/** What a device likes, by what it is about. */
export function showTarget(target: Target): Readonly<Record<string, string>> {
  const { alignmentBytes, largestStorageBytes, group, chunkOfAll, runsInFlight, tolerances } = target;
  const cuts = Object.entries(reductions).map(([what, [outer, rows, inner]]) => {
    const chunk = target.chunkRows(outer, rows, inner);
    return `${what} ${chunk < rows ? `in parts of ${chunk}` : "whole"}`;
  });
  const all = Number.isFinite(chunkOfAll) ? `in parts of ${chunkOfAll} numbers` : "whole";
  const gradient = { batch: 1, m: 128, n: 128, k: 16384, transposeA: true, transposeB: false };
  const { parts, heldB } = target.productForm(gradient);
  return {
    alignment: `buffers start at whole multiples of ${alignmentBytes} bytes`,
    storage: Number.isFinite(largestStorageBytes)
      ? `up to ${showBytes(largestStorageBytes)} in one piece`
      : "of any size in one piece",
    fusion: `a group reads up to ${group.reads} values and holds up to ${group.nodes} nodes`,
    reductions: `${cuts.join("; ")}; whole tensors beside each other ${all}`,
    products:
      `a weight's gradient [128, 128] over 16384 rows in ${parts} ${parts === 1 ? "part" : "parts"}; ` +
      `weights that stay the same are ${heldForms[heldB]}`,
    runs: runsInFlight === 1 ? "done when they return" : `up to ${runsInFlight} under way before the first is heard of`,
    tolerances: `a verification allows errors of ${tolerances.outputs} in values and ${tolerances.gradients} in gradients`,
  };
}
