import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { DeviceError } from "../base/errors.js";
import type { Gpu } from "../base/gpu.js";
import type { EngineFeature, Runtime, WorkerPort } from "../base/runtime.js";
import { fileError, writeFileAtomic } from "./atomicFile.js";

const version = Number.parseInt(process.versions.node, 10);
/** First Node whose engine can pair vectors. */
const firstPairing = 24;

/** Flags of V8, and the versions of Node that have what they turn on, and hide it. */
const flags: Readonly<Record<EngineFeature, { readonly flag: string; readonly isHidden: boolean }>> = {
  relaxedSimd: { flag: "--experimental-wasm-relaxed-simd", isHidden: version < 22 },
  pairedVectors: { flag: "--experimental-wasm-revectorize", isHidden: version >= firstPairing },
};

const { resolve } = createRequire(import.meta.url);

/** Node, and what does as Node does. */
export const runtime: Runtime = {
  cores: availableParallelism,
  threadsForbidden: () => undefined,
  maySleep: () => true,
  startWorker,
  turnOn(feature) {
    const { flag, isHidden } = flags[feature];
    if (isHidden) setFlagsFromString(flag);
  },
  pairingForbidden: () =>
    version < firstPairing ? `Node ${version} makes no vectors of two: that needs Node ${firstPairing}` : undefined,
  gpu: openGpu,
  namesAdapters: true,
  readFile: async (url) => Uint8Array.from(await readFile(url)),
  packages: {
    has(name) {
      try {
        return resolve(name) !== "";
      } catch {
        return false;
      }
    },
    load: (specifier) => import(specifier),
    read: async (path) => readFile(resolve(path)),
  },
  cache: {
    async keep(name, text) {
      await mkdir(cacheFolder(), { recursive: true }).catch((error: unknown) => {
        throw fileError(cacheFolder(), "could not be made", error);
      });
      await writeFileAtomic(join(cacheFolder(), name), new TextEncoder().encode(text));
    },
    recall: (name) => readFile(join(cacheFolder(), name), "utf8").catch(() => undefined),
  },
};

/** @source XDG Base Directory Specification: a path that is not absolute counts as none */
function cacheFolder(): string {
  const given = process.env.XDG_CACHE_HOME ?? "";
  return join(isAbsolute(given) ? given : join(homedir(), ".cache"), "ptdit");
}

/** Kept for good: Dawn crashes when what made a device is collected while that lives. */
const gpus = new Map<string, Gpu>();

/** Kernels write workgroup memory before they read it: that it be cleared first would only make pipelines slow to compile, on a
 *  driver without a GPU twenty times as slow. */
const dawnFlags = ["enable-dawn-features=disable_workgroup_init,allow_unsafe_apis"];

async function openGpu(adapter?: string): Promise<Gpu> {
  const key = adapter ?? "";
  const known = gpus.get(key);
  if (known) return known;
  if (!runtime.packages.has("webgpu"))
    throw new DeviceError("webgpu: Node has no WebGPU of its own. Run `npm install webgpu@0.6.2`, or use wasm().");
  const { create } = (await runtime.packages.load("webgpu")) as { readonly create: (flags: readonly string[]) => Gpu };
  const gpu = create([...dawnFlags, ...(adapter === undefined ? [] : [`adapter=${adapter}`])]);
  gpus.set(key, gpu);
  return gpu;
}

function startWorker<Job, Answer>(work: string): WorkerPort<Job, Answer> {
  // Neither `require` nor `import`: flags of the process decide which of the two evaluated source may use.
  const source = `
const { parentPort } = process.getBuiltinModule("node:worker_threads");
const say = (answer) => parentPort.postMessage(answer);
parentPort.once("message", (job) => (${work})(job, say).then(() => parentPort.close()));
say({});
`;
  const worker = new Worker(source, { eval: true });
  return {
    post: (job) => worker.postMessage(job),
    onAnswer: (take) => void worker.on("message", take),
    onFault: (take) => {
      worker.on("error", ({ message }) => take(message));
      worker.on("exit", () => take("a worker ended before its time"));
    },
    release: () => worker.unref(),
    end: () => void worker.terminate(),
  };
}
