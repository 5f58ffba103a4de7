/** A browser's `Worker` made of Node's threads, for libraries that know no other. */
import { resolveObjectURL } from "node:buffer";
import { availableParallelism } from "node:os";
import { Worker as Thread } from "node:worker_threads";

/** What a worker's script finds in a browser and not in a thread. */
const prelude = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
parentPort.on("message", (data) => globalThis.onmessage?.({ data }));
`;

class BlobWorker {
  #listeners = [];
  #thread;
  #before = [];

  constructor(url) {
    void this.#start(String(url));
  }

  async #start(url) {
    const script = await resolveObjectURL(url).text();
    this.#thread = new Thread(prelude + script, { eval: true });
    this.#thread.unref();
    this.#thread.on("message", (data) => {
      this.onmessage?.({ data });
      for (const listener of this.#listeners) listener({ data });
    });
    this.#thread.on("error", (error) => this.onerror?.(error));
    for (const message of this.#before) this.#thread.postMessage(...message);
  }

  postMessage(...message) {
    if (this.#thread) this.#thread.postMessage(...message);
    else this.#before.push(message);
  }

  addEventListener(type, listener) {
    if (type === "message") this.#listeners.push(listener);
  }

  removeEventListener(_, listener) {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  terminate() {
    this.#thread?.terminate();
  }
}

/** Installs it as a global. Returns the cores that it tells of. */
export function installWorkers() {
  const cores = availableParallelism();
  globalThis.Worker = BlobWorker;
  if (globalThis.navigator?.hardwareConcurrency === undefined) {
    Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: cores }, configurable: true });
  }
  return cores;
}
