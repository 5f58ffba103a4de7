import type { Bound } from "./cases.js";
import type { Layout, Limits, Mode, Overhead, Rates, WorkloadCase } from "./protocol.js";
import type { Timing } from "./race.js";

/** Fractions `ofPeak` are of the limit measured in the same run, for as many threads. */
export interface MatmulRow {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly layout: Layout;
  readonly batch: number;
  readonly threads: number;
  readonly gflops: number;
  readonly ofPeak: number;
}

export interface OpRow {
  readonly name: string;
  readonly shape: string;
  readonly threads: number;
  readonly ms: number;
  readonly gflops: number;
  readonly gbs: number;
  readonly elementsPerNs: number;
  /** What it is measured against. */
  readonly bound: Bound;
  readonly ofPeak: number;
}

export interface WorkloadRow extends Timing, Omit<WorkloadCase, "kind" | "geometry"> {
  readonly threads: number;
  readonly imagesPerSecond: number;
  readonly gflop: number;
  readonly ofPeak: number;
  readonly arenaBytes: number;
  readonly rssBytes: number;
  readonly compileMs: number;
  /** How much more two processes of one thread each do at once than one alone: what the machine leaves for two threads to gain. */
  readonly twoProcesses: number;
}

/** Full attention over PT-DiT: arithmetic and time. */
export interface GainRow {
  readonly tokens: number;
  readonly mode: Mode;
  readonly threads: number;
  readonly counted: number;
  readonly measured: number;
}

/** A small program on idle cores, and while another process keeps one of them busy. */
export interface BusyRow {
  readonly name: string;
  readonly threads: number;
  readonly idleMs: number;
  readonly busyMs: number;
}

/** Another engine; `ratio` is its time over ours with as many threads, or on the same adapter. */
export interface PeerRow {
  readonly peer: string;
  readonly version: string;
  readonly name: string;
  readonly model: string;
  readonly threads: number;
  /** Where it is not the processor. */
  readonly device?: "webgpu";
  readonly mode: string;
  readonly ms: number;
  readonly ratio: number;
}

/** A product or a workload of ours on an adapter. */
export interface GpuRow extends Timing {
  readonly name: string;
  readonly model: string;
  readonly mode: string;
  readonly gflop: number;
  /** Of the arithmetic that the adapter does in registers. */
  readonly ofPeak: number;
}

/** What `ptdit bench --device webgpu --json` prints. */
export interface WebGpuResults {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly browser: string;
    readonly adapter: string;
    /** Whether the adapter is no GPU but a program: times on it say nothing of a GPU. */
    readonly software: boolean;
    readonly date: string;
  };
  readonly rates: Rates;
  readonly own: readonly GpuRow[];
  readonly peers: readonly PeerRow[];
}

/** What `ptdit bench --json` prints. */
export interface BenchResults {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly v8: string;
    readonly vectors: string;
    readonly date: string;
  };
  readonly peaks: Limits & { readonly twoThreads: Limits };
  readonly matmul: MatmulRow[];
  readonly ops: OpRow[];
  readonly workloads: WorkloadRow[];
  readonly gain: GainRow[];
  /** Absent from results of before it was measured. */
  busy?: readonly BusyRow[];
  readonly peers: PeerRow[];
  overhead?: Overhead & { readonly startMs: number };
}
