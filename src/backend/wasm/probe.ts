/** What a build of the kernels is on the running engine, by its own innermost loop (`assembly/probe.ts`). */

export interface KernelSpeed {
  /** Whether its multiply-add rounds once, which changes the last bits of every sum. */
  readonly fuses: boolean;
  /** The tile that matrix products are made of, its operands in the first cache.
   *  @units GFLOP/s on one thread */
  readonly tile: number;
}

/** Tiles in a slice of the measurement: some 20 µs. */
const tilesPerSlice = 40;
/** The engine compiles a loop better only after it has run for a while: run it until then, at most this long. */
const warmMs = 8;
const measuredMs = 1;

/** The best rate of many short slices: whatever else the machine does only makes them slower.
 *  @units flops(repeats) returns operations -> GFLOP/s */
export function bestRate(flops: (repeats: number) => number, ms: number): number {
  let best = 0;
  for (const end = performance.now() + ms; performance.now() < end; ) {
    const from = performance.now();
    const done = flops(tilesPerSlice);
    best = Math.max(best, done / (performance.now() - from) / 1e6);
  }
  return best;
}

/** Times a build's tile for a millisecond. */
export async function kernelSpeed(module: WebAssembly.Module): Promise<KernelSpeed> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort: () => undefined } });
  const tileFlops = exports.tileFlops as (repeats: number) => number;
  bestRate(tileFlops, warmMs);
  return { fuses: (exports.fuses as () => number)() === 1, tile: bestRate(tileFlops, measuredMs) };
}
