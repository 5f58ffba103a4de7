import { DeviceError } from "../../base/errors.js";
import { paired, relaxed, simd } from "./binaries.generated.js";
import type { Bytes, WasmModule } from "./engine.js";
import type { Loop } from "./probe.js";

/**
 * Which build of the kernels runs: `simd`, 128-bit vectors with separate multiply and add, whose numbers are the same on every
 * machine; `relaxed`, fused multiply-add; `paired`, `relaxed` with tiles for engines that make 256-bit vectors of two.
 */
export type Vectors = "simd" | "relaxed" | "paired";

const binaries: Readonly<Record<Vectors, string>> = { simd, relaxed, paired };

/** `i8x16.splat` and `i8x16.popcnt`: valid only where SIMD is. */
const simdProbe = "AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==";
/** `f32x4.relaxed_madd` of three zero vectors: valid only where relaxed SIMD is. */
const relaxedProbe = "AGFzbQEAAAABBQFgAAF7AwIBAAoTAREAQQD9D0EA/Q9BAP0P/YUCCw==";

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export const hasSimd = (): boolean => WebAssembly.validate(bytesOf(simdProbe));
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(bytesOf(relaxedProbe));

/** Compiles an embedded build.
 *  @throws DeviceError where nothing may be compiled */
export async function compileBuild(vectors: Vectors): Promise<WasmModule> {
  return compile(bytesOf(binaries[vectors]));
}

/** Compiles bytes that are valid, so that only a policy can forbid it.
 *  @throws DeviceError where it does */
export async function compile(bytes: Bytes): Promise<WasmModule> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new DeviceError(
      `wasm: WebAssembly may not be compiled here (${(error as Error).message}). Give kernels that are compiled already, ` +
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

export async function probe(module: WasmModule): Promise<Probe> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }); // a larger one reserves addresses, perhaps the last
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort: () => undefined } });
  const { fuses, tileFlops } = exports as unknown as { fuses(): number; tileFlops: Loop };
  return { fuses: fuses() === 1, tile: tileFlops };
}
