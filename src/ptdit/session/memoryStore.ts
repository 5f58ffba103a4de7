import { type Checkpoint, readCheckpoint } from "../readCheckpoint.js";
import { type CheckpointSource, writeCheckpoint } from "../writeCheckpoint.js";
import type { LogEntry } from "./log.js";
import type { RunStore, Samples } from "./runStore.js";

/** A run that is kept in memory, and may be looked at. */
export class MemoryStore implements RunStore {
  /** The last checkpoint, as a file would hold it. */
  checkpoint: Uint8Array | undefined;
  log: LogEntry[] = [];
  /** Pictures by their steps. */
  readonly samples = new Map<number, Samples>();

  async last(): Promise<Checkpoint | undefined> {
    return this.checkpoint && readCheckpoint(this.checkpoint, "memory");
  }

  async save(source: CheckpointSource): Promise<void> {
    this.checkpoint = await writeCheckpoint(source);
  }

  async openLog(step: number): Promise<readonly LogEntry[]> {
    this.log = step > 0 ? this.log.filter((entry) => entry.step <= step) : [];
    return this.log;
  }

  async append(entry: LogEntry): Promise<void> {
    this.log.push(entry);
  }

  async keep(samples: Samples): Promise<void> {
    this.samples.set(samples.step, samples);
  }

  async holds(step: number): Promise<boolean> {
    return this.samples.has(step);
  }
}

/** A place for one run in memory: for tests, and for pages that keep nothing. */
export function memoryStore(): MemoryStore {
  return new MemoryStore();
}
