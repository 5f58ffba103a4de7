import { callCost, type KernelCall } from "../calls.js";

/** How a command is divided: into so many parts for each of so many threads, and what all of it should take on one. */
export interface Division {
  readonly parts: number;
  readonly threads: number;
  /** @units ns, within a factor of about three */
  readonly ns: number;
}

/** One part for one thread. */
export const undivided: Division = { parts: 1, threads: 1, ns: 0 };

/** Parts of a long call, a thread: small enough that nobody waits long for a slow core's last. */
const partsPerThread = 6;
/** What a call must cost to be cut into more parts than there are threads: some 100 µs. */
const [longMultiplyAdds, longBytes] = [2e6, 2e6];

/** What one thread does in a nanosecond, about, and what a call costs besides. */
const [multiplyAddsPerNs, elementOpsPerNs, bytesPerNs, callNs] = [20, 3, 10, 100];

/** How a call is divided among threads: a function of its sizes, so that programs know it before they run. */
export function divisionOf<B>(call: KernelCall<B>, threads: number): Division {
  const { multiplyAdds, elementOps, bytes } = callCost(call);
  const isLong = multiplyAdds > longMultiplyAdds || bytes > longBytes;
  const ns = callNs + Math.max(multiplyAdds / multiplyAddsPerNs + elementOps / elementOpsPerNs, bytes / bytesPerNs);
  return { parts: isLong ? partsPerThread : 1, threads, ns };
}
