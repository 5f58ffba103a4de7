import type { Target } from "../target.js";
import { scheduled } from "./schedule.js";

/** What the WebGPU kernels like. Sizes of storages are the adapter's; `halves`: weights that stay the same are kept in 16 bits. */
export const webgpuTarget = (largestStorageBytes: number, halves = false): Target => ({
  // Four floats. Storages are bound whole, so that no offset of a binding asks for more.
  alignmentBytes: 16,
  largestStorageBytes,
  group: { reads: 14, nodes: 40 },
  // A workgroup sums up to 2,048 rows of few outputs well; where outputs are few, rows are cut so that many workgroups have work.
  chunkRows: (outer, rows, inner) => (outer * inner >= 4096 ? rows : Math.min(rows, 2048)),
  chunkOfAll: 4096,
  productForm: ({ batch, m, n, k, transposeA, transposeB }) => ({
    // A weight's gradient has few elements and sums over many rows: in parts, more workgroups have work.
    parts: batch === 1 && transposeA && !transposeB && k >= 2048 && k % 4 === 0 && m * n <= 64 * 256 ? 4 : 1,
    heldB: halves ? "halves" : "plain",
  }),
  // One computes, one is next, and the numbers of two are on their way: what is in memory for them is a batch and a few numbers each.
  runsInFlight: 4,
  // Dispatches run one after the other, and what runs in one is scheduled.
  keepsOperands: () => false,
  schedule: scheduled,
  // Float32 throughout; sums in another order than the reference's.
  tolerances: { outputs: 1e-4, gradients: 5e-4 },
});
