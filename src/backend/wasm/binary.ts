import { ConfigError, DeviceError } from "../../base/errors.js";
import { relaxed, simd } from "./binaries.generated.js";

/** Which build of the kernels runs: 128-bit SIMD, or SIMD with relaxed fused multiply-add. */
export type SimdLevel = "simd" | "relaxed";

/** Where the kernels come from: their bytes, a URL, or a compiled module (edge runtimes forbid compiling). */
export type KernelSource = Uint8Array | URL | string | WebAssembly.Module;

export interface Kernels {
  readonly module: WebAssembly.Module;
  readonly level: SimdLevel;
  /** Why this build. */
  readonly reason: string;
}

/** `f32x4.relaxed_madd` of three zero vectors: valid only where relaxed SIMD is. */
const relaxedProbe = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  19,
  1,
  17,
  0,
  65,
  0,
  253,
  15,
  65,
  0,
  253,
  15,
  65,
  0,
  253,
  15,
  253,
  133,
  2,
  11,
);
/** `i8x16.splat` and `i8x16.popcnt`: valid only where SIMD is. */
const simdProbe = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  10,
  1,
  8,
  0,
  65,
  0,
  253,
  15,
  253,
  98,
  11,
);

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Lets V8 accept relaxed SIMD where it hides behind a flag (Node 20); elsewhere it does nothing. */
async function allowRelaxed(): Promise<void> {
  if (typeof process === "undefined" || !process.versions?.node || Number.parseInt(process.versions.node, 10) >= 22) return;
  const v8 = await import("node:v8");
  v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
}

/**
 * Picks and compiles the build of the kernels that this engine runs best.
 * @throws DeviceError when the engine has no WASM SIMD
 * @throws ConfigError when `level` asks for what the engine lacks
 */
export async function loadKernels(options: { level?: SimdLevel; source?: KernelSource }): Promise<Kernels> {
  const { level, source } = options;
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(simdProbe)) {
    throw new DeviceError(
      "wasm: this engine has no WebAssembly SIMD, which every kernel needs. Use a browser of 2023 or later, or Node 20.",
    );
  }
  if (source !== undefined) {
    return { module: await compileSource(source), level: level ?? "simd", reason: "kernels given by the caller" };
  }
  if (level !== "simd") await allowRelaxed();
  const hasRelaxed = WebAssembly.validate(relaxedProbe);
  if (level === "relaxed" && !hasRelaxed) {
    throw new ConfigError('wasm: relaxed SIMD was asked for, and this engine does not have it. Ask for "simd".');
  }
  const chosen = level ?? (hasRelaxed ? "relaxed" : "simd");
  const reason = level ? "asked for" : hasRelaxed ? "the engine fuses multiply and add" : "the engine has no relaxed SIMD";
  return { module: await WebAssembly.compile(bytesOf(chosen === "relaxed" ? relaxed : simd)), level: chosen, reason };
}

async function compileSource(source: KernelSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof Uint8Array) return WebAssembly.compile(source as Uint8Array<ArrayBuffer>);
  return WebAssembly.compileStreaming(fetch(source));
}
