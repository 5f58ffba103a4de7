/**
 * Our own engine as a program that `ptdit bench` starts and times: `node engine.js THREADS [VECTORS]`, speaking the protocol of
 * `protocol.ts`.
 */

import { performance as nodePerformance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { wasm } from "../src/backend/wasm/device.js";
import { measureLimits } from "./limits.js";
import { measureOverhead } from "./overhead.js";
import { answering } from "./prepare.js";
import type { Request } from "./protocol.js";
import { median } from "./race.js";

const say = (line: object): void => console.log(JSON.stringify(line));
const [threads, vectors] = process.argv.slice(2);
const device = await wasm({ threads: Number(threads), ...(vectors ? { vectors: vectors as Vectors } : {}) }).catch(
  (error: Error) => {
    say({ missing: error.message });
    process.exit();
  },
);

const answer = answering(device, async (request) => {
  if ("peak" in request) return { peak: median(Array.from({ length: 10 }, () => device.peakFlops(1))) };
  if ("limits" in request) return { limits: await measureLimits(device) };
  if ("overhead" in request) return { overhead: await measureOverhead(device) };
  if ("rss" in request) return { rss: 1024 * process.resourceUsage().maxRSS };
  return undefined;
});

// Before that, Node itself starts.
const startMs = performance.now() - nodePerformance.nodeTiming.bootstrapComplete;
say({ ready: true, peer: "ptdit", version: process.versions.node, threads: device.threads, startMs });
for await (const line of createInterface({ input: process.stdin })) {
  const own = await answer(JSON.parse(line) as Request);
  if (!own) break;
  say(own);
}
device.close();
