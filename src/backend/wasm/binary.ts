import { ConfigError, DeviceError } from "../../base/errors.js";
import { paired, relaxed, simd } from "./binaries.generated.js";
import { type KernelSpeed, kernelSpeed } from "./probe.js";

/**
 * Which build of the kernels runs: `simd`, 128-bit vectors with separate multiply and add, whose numbers are the same on every
 * machine; `relaxed`, fused multiply-add; `paired`, `relaxed` with tiles for engines that make 256-bit vectors of two.
 */
export type Vectors = "simd" | "relaxed" | "paired";

/** Where the kernels come from: their bytes, a URL, or a compiled module (edge runtimes forbid compiling). */
export type KernelSource = Uint8Array | URL | string | WebAssembly.Module;

export interface Kernels {
  readonly module: WebAssembly.Module;
  readonly vectors: Vectors;
  /** Why this build. */
  readonly reason: string;
}

/** A build and how fast its innermost loop is here. */
interface MeasuredBuild extends KernelSpeed {
  readonly vectors: Vectors;
  readonly module: WebAssembly.Module;
}

/** `i8x16.splat` and `i8x16.popcnt`: valid only where SIMD is. */
const simdProbe = "AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==";
/** `f32x4.relaxed_madd` of three zero vectors: valid only where relaxed SIMD is. */
const relaxedProbe = "AGFzbQEAAAABBQFgAAF7AwIBAAoTAREAQQD9D0EA/Q9BAP0P/YUCCw==";

const binaries: Readonly<Record<Vectors, string>> = { simd, relaxed, paired };

/** From the safest build to the fastest. */
const order = ["simd", "relaxed", "paired"] as const;
/** How much faster a build must be than the one before. */
const clearly = 1.15;

/** First Node whose engine can pair vectors. */
const firstPairing = 24;

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const nodeVersion =
  typeof process !== "undefined" && process.versions?.node ? Number.parseInt(process.versions.node, 10) : undefined;

/**
 * Turns on what a build needs and Node hides behind flags: relaxed SIMD before Node 22, and, where asked for, the pairing of
 * vectors. To be called before anything is compiled; again does no harm.
 */
export async function setEngineFlags(vectors: Vectors | undefined): Promise<void> {
  if (nodeVersion === undefined || vectors === "simd") return;
  const v8 = process.getBuiltinModule("node:v8"); // an import would stand in the way of bundlers for browsers
  if (nodeVersion < 22) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  if (vectors === "paired" && nodeVersion >= firstPairing) v8.setFlagsFromString("--experimental-wasm-revectorize");
}

/**
 * Picks and compiles the build of the kernels that this engine runs best, by timing the innermost loop of each.
 * @throws DeviceError when the engine has no WASM SIMD
 * @throws ConfigError when `vectors` asks for what the engine lacks
 */
export async function loadKernels(options: { vectors?: Vectors; source?: KernelSource }): Promise<Kernels> {
  const { vectors, source } = options;
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(bytesOf(simdProbe))) {
    throw new DeviceError(
      "wasm: this engine has no WebAssembly SIMD, which every kernel needs. Use a browser of 2023 or later, or Node 20.",
    );
  }
  if (source !== undefined) {
    return { module: await compileSource(source), vectors: vectors ?? "simd", reason: "kernels given by the caller" };
  }
  await setEngineFlags(vectors);
  if (vectors) {
    if (vectors !== "simd" && !WebAssembly.validate(bytesOf(relaxedProbe))) {
      throw new ConfigError(`wasm: ${vectors} vectors were asked for, and this engine has no relaxed SIMD. Ask for "simd".`);
    }
    return { module: await compileBuild(vectors), vectors, reason: "asked for" };
  }
  fastest ??= chooseFastest();
  return fastest;
}

/** The choice, made once a process: it holds for every device of it. */
let fastest: Promise<Kernels> | undefined;

async function chooseFastest(): Promise<Kernels> {
  const builds = await measureBuilds();
  // Builds that fuse give each other's bits, so that timing may choose among them; it must not choose between bits, or a run
  // resumed on a busy machine would differ from a straight one.
  const alike = builds.some(({ fuses }) => fuses) ? builds.filter(({ fuses }) => fuses) : builds.slice(0, 1);
  let best = alike[0] as MeasuredBuild;
  for (const build of alike.slice(1)) if (build.tile > clearly * best.tile) best = build;
  const figures = builds.map(({ vectors, tile }) => `${vectors} ${tile.toFixed(0)}`).join(", ");
  return { module: best.module, vectors: best.vectors, reason: `the fastest here (${figures} GFLOP/s in the innermost loop)` };
}

/** Times the innermost loop of every build this engine accepts. Takes some 10 ms each. */
async function measureBuilds(): Promise<MeasuredBuild[]> {
  const fuses = WebAssembly.validate(bytesOf(relaxedProbe));
  const mayPair = nodeVersion === undefined || nodeVersion >= firstPairing;
  const measured: MeasuredBuild[] = [];
  for (const vectors of fuses ? order.slice(0, mayPair ? 3 : 2) : order.slice(0, 1)) {
    const module = await compileBuild(vectors);
    measured.push({ vectors, module, ...(await kernelSpeed(module)) });
  }
  return measured;
}

const compileBuild = (vectors: Vectors): Promise<WebAssembly.Module> => WebAssembly.compile(bytesOf(binaries[vectors]));

async function compileSource(source: KernelSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof Uint8Array) return WebAssembly.compile(source as Uint8Array<ArrayBuffer>);
  const url = new URL(source, globalThis.location?.href);
  if (url.protocol !== "file:" || nodeVersion === undefined) return WebAssembly.compileStreaming(fetch(url));
  const { readFile } = process.getBuiltinModule("node:fs/promises"); // Node fetches no files
  return WebAssembly.compile(await readFile(url));
}
