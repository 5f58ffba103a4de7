/** Small work while another process keeps a core busy: people's machines have more to do than ours. */
import { spawn } from "node:child_process";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { DeviceError } from "../src/base/errors.js";
import { startEngines, threadCounts } from "./engines.js";
import type { Case } from "./protocol.js";
import { race } from "./race.js";
import type { BusyRow } from "./results.js";

/** What two threads are worst at: programs of microseconds, one picture at a time, a small model. */
const cases: readonly { readonly name: string; readonly what: Case }[] = [
  { name: "training step of an MLP, 32 wide", what: { kind: "mlp", hidden: 32 } },
  {
    name: "sampling step of nano, 1 picture",
    what: { kind: "workload", name: "nano", model: "ptdit", mode: "sample", batch: 1 },
  },
  { name: "training step of nano", what: { kind: "workload", name: "nano", model: "ptdit", mode: "train" } },
];

/** A process that keeps one core busy until it is ended; if nobody ends it, ten minutes. */
function startNeighbour(): { end(): void } {
  const child = spawn(process.execPath, ["-e", "const end = Date.now() + 600000; while (Date.now() < end);"], {
    stdio: "ignore",
  });
  return { end: () => void child.kill() };
}

/** Times every case on one thread and on two in turns, on idle cores and beside a busy neighbour. */
export async function measureBusy(vectors: Vectors | undefined, seconds: number): Promise<BusyRow[]> {
  const rows: BusyRow[] = [];
  for (const { name, what } of cases) {
    const engines = await startEngines(vectors);
    try {
      for (const engine of engines) {
        const prepared = await engine.prepare(what);
        if ("unsupported" in prepared) throw new DeviceError(`bench: ${name}: ${prepared.unsupported}`);
      }
      const idle = await race(engines, seconds);
      const neighbour = startNeighbour();
      const busy = await race(engines, seconds).finally(() => neighbour.end());
      for (const [i, threads] of threadCounts.entries()) {
        rows.push({ name, threads, idleMs: idle[i]?.ms ?? Number.NaN, busyMs: busy[i]?.ms ?? Number.NaN });
      }
    } finally {
      for (const engine of engines) engine.end();
    }
  }
  return rows;
}
