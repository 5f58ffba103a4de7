import type { Cache } from "./cache.js";
import type { Gpu } from "./gpu.js";

/**
 * What differs between Node and other runtimes: browsers, edge workers. `import { runtime } from "#runtime"` gives the one that the code
 * runs in: package.json says which, so that nothing asks where it is and bundles for pages hold nothing of Node's.
 */
export interface Runtime {
  /** Cores that threads may use. */
  cores(): number;
  /** Why threads cannot run here, or undefined where they can. */
  threadsForbidden(): string | undefined;
  /** Whether this thread may sleep in `Atomics.wait`: everywhere but on a page's main thread. */
  maySleep(): boolean;
  /**
   * Starts a worker. `work` is the source of a function `async (job, say) => {…}`: it is given the one job that is posted, may call `say`
   * with answers, and the worker ends with it. It says `{}` once it is up.
   * @throws Error where a policy forbids workers
   */
  startWorker<Job, Answer>(work: string): WorkerPort<Job, Answer>;
  /** Turns on what the engine hides behind a flag, where flags can be set. To be called before anything is compiled; again does no harm. */
  turnOn(feature: EngineFeature): void;
  /** Why this engine certainly makes no vectors of two, or undefined where only timing can tell. */
  pairingForbidden(): string | undefined;
  /** Reads what a `file:` URL names, where `fetch` does not. */
  readonly readFile?: (url: URL) => Promise<Uint8Array<ArrayBuffer>>;
  /** WebGPU, if there is any; `adapter`: a part of the name of the one that is wanted, where `namesAdapters`.
   *  @throws DeviceError where it must be installed first */
  gpu(adapter?: string): Promise<Gpu | undefined>;
  /** Whether WebGPU gives the adapter of a name: browsers do not. */
  readonly namesAdapters?: true;
  readonly packages: Packages;
  /** Where there are files to keep texts in. */
  readonly cache?: Cache;
}

export type EngineFeature = "relaxedSimd" | "pairedVectors";

/** The other end of a worker. */
export interface WorkerPort<Job, Answer> {
  post(job: Job): void;
  onAnswer(take: (answer: Answer) => void): void;
  onFault(take: (why: string) => void): void;
  /** Lets the process end although the worker lives. */
  release(): void;
  end(): void;
}

/** Packages that are installed beside the library, known by names that bundlers do not see; where nothing can be installed there are none. */
export interface Packages {
  has(name: string): boolean;
  /** Imports a module of one.
   *  @throws Error when it is not installed */
  load(specifier: string): Promise<unknown>;
  /** Bytes of a file of one; undefined where a package is a part of the bundle and fetches its own files.
   *  @throws Error when it is not installed */
  read(path: string): Promise<Uint8Array | undefined>;
}
