import { philox } from "../../../base/random.js";
import type { KernelArgs } from "../../kernels.js";

type Args = KernelArgs<"uniform", Float64Array>;

/** Calls `visit` with the four uniforms of every block. */
function blocks(
  { run, n, seedLow, seedHigh, stream }: Args,
  visit: (first: number, u: readonly [number, number, number, number]) => void,
): void {
  for (let i = 0; i < n; i += 4) {
    const words = philox([i / 4, stream, run[0] as number, 0], [seedLow, seedHigh]);
    visit(i, words.map((word) => ((word >>> 9) + 0.5) * 2 ** -23) as [number, number, number, number]);
  }
}

/** See `kernels.uniform`. */
export function uniform(args: Args): void {
  blocks(args, (first, u) => args.y.set(u.slice(0, Math.min(4, args.n - first)), first));
}

/** See `kernels.normal`. */
export function normal(args: Args): void {
  blocks(args, (first, [u0, u1, u2, u3]) => {
    const pair = (a: number, b: number) => {
      const radius = Math.sqrt(-2 * Math.log(a));
      return [radius * Math.cos(2 * Math.PI * b), radius * Math.sin(2 * Math.PI * b)];
    };
    args.y.set([...pair(u0, u1), ...pair(u2, u3)].slice(0, Math.min(4, args.n - first)), first);
  });
}

/** See `kernels.sinusoid`. */
export function sinusoid({ y, t, n, half, maxPeriod }: KernelArgs<"sinusoid", Float64Array>): void {
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < half; k++) {
      const angle = (t[i] as number) * maxPeriod ** (-k / half);
      y[i * 2 * half + k] = Math.cos(angle);
      y[i * 2 * half + half + k] = Math.sin(angle);
    }
  }
}
