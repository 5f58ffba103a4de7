import { DeviceError, messageOf } from "../../base/errors.js";
import type { Bytes, WasmModule } from "./engine.js";
import type { Loop } from "./probe.js";

/**
 * Which build of the kernels runs: `simd`, 128-bit vectors with separate multiply and add, whose numbers are the same on every
 * machine; `relaxed`, fused multiply-add; `paired`, `relaxed` with tiles for engines that make 256-bit vectors of two.
 */
export type Vectors = "simd" | "relaxed" | "paired";

/** Each in a module of its own, so that a page fetches only what it runs. */
const builds: Readonly<Record<Vectors, () => Promise<{ readonly binary: string }>>> = {
  simd: () => import("./simd.generated.js"),
  relaxed: () => import("./relaxed.generated.js"),
  paired: () => import("./paired.generated.js"),
};

/** `i8x16.splat` and `i8x16.popcnt`: valid only where SIMD is. */
const simdProbe = "0061736d010000000105016000017b030201000a0a0108004100fd0ffd620b";
/** `f32x4.relaxed_madd` of three zero vectors: valid only where relaxed SIMD is. */
const relaxedProbe = "0061736d010000000105016000017b030201000a130111004100fd0f4100fd0f4100fd0ffd85020b";

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

export const hasSimd = (): boolean => WebAssembly.validate(bytesOf(simdProbe));
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(bytesOf(relaxedProbe));

/** Compiles an embedded build.
 *  @throws DeviceError where nothing may be compiled, or the part of the bundle that holds the build cannot be fetched */
export async function compileBuild(vectors: Vectors): Promise<WasmModule> {
  const { binary } = await fetched(builds[vectors]());
  return compile(bytesOf(binary));
}

/** A module of the bundle. */
function fetched<T>(module: Promise<T>): Promise<T> {
  return module.catch((error: Error) => {
    throw new DeviceError(
      `wasm: the kernels cannot be fetched (${error.message}). Try again, or give them: wasm({ kernels }).`,
      {
        cause: error,
      },
    );
  });
}

/** Compiles bytes that are valid, so that only a policy can forbid it.
 *  @throws DeviceError where it does */
export async function compile(bytes: Bytes): Promise<WasmModule> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new DeviceError(
      `wasm: WebAssembly may not be compiled here (${messageOf(error)}). Give kernels that are compiled already, ` +
        'wasm({ kernels }): edge runtimes make them of `import kernels from "ptdit/kernels/simd.wasm"`. On a page, ' +
        "allow 'wasm-unsafe-eval' in script-src of its Content-Security-Policy.",
      { cause: error },
    );
  }
}

/** What a build is on this engine. */
export interface Probe {
  /** Whether its multiply-add rounds once, which changes the last bits of every sum. */
  readonly fuses: boolean;
  /** The tile that matrix products are made of, its operands in the first cache (`assembly/probe.ts`). */
  readonly tile: Loop;
}

/** Asks a build that could be chosen, without fetching all of it. */
export async function probe(vectors: "relaxed" | "paired"): Promise<Probe> {
  const { [vectors]: binary } = await fetched(import("./probes.generated.js"));
  const module = await compile(bytesOf(binary));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }); // a larger one reserves addresses, perhaps the last
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort: () => undefined } });
  const { fuses, tileFlops } = exports as { fuses(): number; tileFlops: Loop };
  return { fuses: fuses() === 1, tile: tileFlops };
}
