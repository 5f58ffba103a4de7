import type { Gpu } from "./gpu.js";
import type { Runtime, WorkerPort } from "./runtime.js";

/** Whatever is not Node: pages, their workers, edge workers. */
export const runtime: Runtime = {
  cores: () => globalThis.navigator?.hardwareConcurrency ?? 1,
  threadsForbidden() {
    if (globalThis.crossOriginIsolated === false) {
      return "the page is not cross-origin isolated: serve it with COOP `same-origin` and COEP `require-corp` for more";
    }
    return typeof Worker === "undefined" ? "this runtime has no Worker" : undefined;
  },
  maySleep: () => typeof globalThis.document === "undefined",
  startWorker,
  turnOn: () => undefined,
  pairingForbidden: () => undefined,
  gpu: async () => (globalThis.navigator as { readonly gpu?: Gpu } | undefined)?.gpu,
  packages: {
    has: () => false,
    load: (specifier) => Promise.reject(new Error(`${specifier} is not installed`)),
    read: () => Promise.resolve(undefined),
  },
};

function startWorker<Job, Answer>(work: string): WorkerPort<Job, Answer> {
  const source = `
const say = (answer) => postMessage(answer);
onmessage = ({ data }) => (${work})(data, say).then(() => close());
say({});
`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  return {
    post: (job) => worker.postMessage(job),
    onAnswer: (take) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => take(data);
    },
    onFault: (take) => {
      // Where a policy forbids the script, there is an event without a message.
      worker.onerror = ({ message }) =>
        take(
          message ||
            "the page lets no worker start from its blob: URL; for more, its Content-Security-Policy needs `worker-src blob:`",
        );
      worker.onmessageerror = () => take("a worker cannot take the page's shared memory");
    },
    release: () => URL.revokeObjectURL(url),
    end: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
