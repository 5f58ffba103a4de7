// What a build is on this engine: whether it fuses, and how fast its micro-kernel is. A module of its own, asked before a build is chosen
// and loaded; of the rates the build itself has the one that limits `bench`.
import { panelColumns, panelRow, tileRows } from "./gemm-geometry";
import { fma } from "./simd";
import { packedTile4, packedTile6, residentTile } from "./gemm-micro.generated";

/** Steps of k in one tile: its operands fill half of the first cache. */
const depth: i32 = 256;
// In the first page, behind the constants, before any program uses the memory.
const A: usize = 8192;
const B: usize = A + depth * 24;
const C: usize = B + depth * 64;

/** Multiplies the build's best tile `repeats` times. Returns the floating-point operations done. */
export function tileFlops(repeats: i32): f64 {
  for (let i = 0; i < repeats; i++) {
    if (tileRows == 6) packedTile6(depth, A, B, panelRow, C, panelRow, C, panelRow, 0);
    else packedTile4(depth, A, B, panelRow, C, panelRow, C, panelRow, 0);
  }
  return 2.0 * <f64>tileRows * <f64>panelColumns * <f64>depth * <f64>repeats;
}

/** As `tileFlops`, without loads: the limit of the arithmetic. */
export function peakFlops(repeats: i32): f64 {
  for (let i = 0; i < repeats; i++) residentTile(depth, A, C);
  return 2.0 * 6.0 * <f64>panelColumns * <f64>depth * <f64>repeats;
}

/** Whether this build's multiply-add rounds once: 1 where it does. Exactly, (1 + e)² - (1 + 2e) is e². */
export function fuses(): i32 {
  const x = f32x4.splat(1.00000011920928955);
  return i32(f32x4.extract_lane(fma(x, x, f32x4.splat(-1.0000002384185791)), 0) != 0);
}
