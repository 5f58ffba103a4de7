import type { Target } from "../target.js";
import { mayFollow } from "./chains.js";

/** Rows from which, and sizes of C up to which, Aᵀ B is summed in parts; and how many they are. */
const [manyRows, smallProduct, rowParts] = [2048, 64 * 256, 4];

/** What the WASM kernels like. Everything is a function of sizes alone, so that bits do not depend on threads. */
export const wasmTarget: Target = {
  // A cache line.
  alignmentBytes: 64,
  // Addresses are 32 bits.
  largestStorageBytes: 2 ** 32,
  // Leaves room for constants and temporaries beside the reads.
  group: { reads: 14, nodes: 40 },
  // Enough chunks to share among threads, long enough to be worth one.
  chunkRows: (outer, rows, inner) => {
    if (inner === 1) return outer >= 16 ? rows : Math.min(rows, 8192);
    if (outer >= 8) return rows;
    const wanted = Math.max(1, Math.floor(64 / outer));
    return Math.min(rows, Math.max(32, Math.ceil(rows / wanted)));
  },
  chunkOfAll: 4096,
  productForm: ({ batch, m, n, k, transposeA, transposeB }) => ({
    // Threads that share out the parts of a weight's gradient pack different rows; had they shared out C, too small for its many rows,
    // each would pack all of A or of B.
    parts:
      batch === 1 && transposeA && !transposeB && k >= manyRows && k % rowParts === 0 && m * n <= smallProduct ? rowParts : 1,
    heldB: "panels",
  }),
  keepsOperands: mayFollow,
  runsInFlight: 1,
  tolerances: { outputs: 5e-5, gradients: 2e-4 },
};
