/** Numbers on the host, in row-major order. */
export type HostArray = Float32Array | Float64Array | Int32Array;

/** How long `body` takes on this thread. */
export function millisecondsOf(body: () => void): number {
  const from = performance.now();
  body();
  return performance.now() - from;
}
