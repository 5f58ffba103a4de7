import { runtime } from "#runtime";
import { ConfigError, DeviceError, messageOf } from "../../base/errors.js";
import { compile, hasSimd, type Vectors } from "./builds.js";
import { chooseBuild } from "./choice.js";
import type { Bytes, Url, WasmModule } from "./engine.js";

export type { Vectors } from "./builds.js";
export { setEngineFlags } from "./choice.js";

/** Where the kernels come from: their bytes, a URL, or a compiled module (edge runtimes forbid compiling). */
export type KernelSource = Uint8Array | ArrayBuffer | Url | string | WasmModule;

export interface Kernels {
  readonly module: WasmModule;
  /** Which build, where that is known. */
  readonly vectors?: Vectors;
  /** Why this build. */
  readonly reason: string;
}

/**
 * Compiles the build of the kernels that is asked for, given, or best on this engine.
 * @throws DeviceError when the engine has no WASM SIMD, or may compile nothing
 * @throws ConfigError when `vectors` asks for what the engine lacks, or `source` is not kernels
 */
export async function loadKernels(options: { vectors?: Vectors; source?: KernelSource }): Promise<Kernels> {
  const { vectors, source } = options;
  if (typeof WebAssembly !== "object") {
    throw new DeviceError(
      "wasm: this engine has no WebAssembly; browsers switch it off in their strictest modes, Node by --jitless. Allow it.",
    );
  }
  if (!hasSimd()) {
    throw new DeviceError(
      "wasm: this engine has no WebAssembly SIMD, which every kernel needs. Use a browser of 2023 or later, or Node 20.",
    );
  }
  if (source === undefined) return chooseBuild(vectors);
  const module = await moduleOf(source);
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const missing = ["setUp", "run", "serve"].filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw new ConfigError(
      `wasm: the module given as kernels is another one: it has no ${missing.join(", ")}. Give a file of ptdit/kernels of this version.`,
    );
  }
  return { module, ...(vectors ? { vectors } : {}), reason: "given by the caller" };
}

/** What a thing is, by its name: one of another realm (a frame, a sandbox) is no instance of this one's class. */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice("[object ".length, -1);
const isModule = (source: KernelSource): source is WasmModule => kindOf(source) === "WebAssembly.Module";
const isBytes = (source: unknown): source is Bytes => ArrayBuffer.isView(source) || kindOf(source) === "ArrayBuffer";

/** Whether kernels could be had from it. */
export const isKernelSource = (value: unknown): boolean =>
  isBytes(value) || ["String", "URL", "WebAssembly.Module"].includes(kindOf(value));

async function moduleOf(source: KernelSource): Promise<WasmModule> {
  if (isModule(source)) return source;
  const bytes = isBytes(source) ? source : await bytesAt(source);
  if (WebAssembly.validate(bytes)) return compile(bytes);
  const reason = await WebAssembly.compile(bytes).catch((error: Error) => error.message);
  throw new ConfigError(
    `wasm: what was given as kernels is no WebAssembly that this engine takes (${reason}). Give a file of ptdit/kernels.`,
  );
}

async function bytesAt(source: URL | string): Promise<Bytes> {
  const fail = (why: string, cause?: unknown): ConfigError =>
    new ConfigError(`wasm: the kernels cannot be loaded from ${source}: ${why}. Give a URL of a file of ptdit/kernels.`, {
      cause,
    });
  let url: URL;
  try {
    url = new URL(source, globalThis.location?.href);
  } catch (error) {
    throw fail('it is no URL; for a file beside a module: new URL("./simd.wasm", import.meta.url)', error);
  }
  try {
    if (url.protocol === "file:" && runtime.readFile) return await runtime.readFile(url);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await response.arrayBuffer();
  } catch (error) {
    throw fail(messageOf(error), error);
  }
}
