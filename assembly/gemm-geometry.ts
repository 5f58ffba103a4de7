// The shape of the micro-kernels' tiles, by what the build's engine does best. 16 registers hold the accumulators, a row of the
// panel of B and one element of A; a product that is rounded before it is added needs one more.

/** Columns of a tile, and of a panel of B: twice as many where the engine makes one 256-bit vector of two (`PAIRED`). */
export const panelColumns: i32 = PAIRED ? 16 : 8;
/** Bytes of a row of a panel. */
export const panelRow: usize = <usize>panelColumns << 2;
/** Rows of the fastest tile. */
export const tileRows: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
