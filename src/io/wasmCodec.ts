import { ConfigError } from "../base/errors.js";
import type { Picture } from "./picture.js";

/** What is used of a decoder that is WebAssembly with a little script around it. */
interface CodecModule {
  readonly init: (options: Record<string, unknown>) => Promise<unknown>;
  readonly default: (bytes: ArrayBuffer) => Promise<{ width: number; height: number; data: ArrayLike<number> } | null>;
}

/**
 * A decoder made of a script and a WASM file of one package, loaded when first used.
 * @returns decodes bytes; throws ConfigError when the package is not installed, Error when the picture is broken
 */
export function wasmCodec(name: string, packageName: string, wasmFile: string, load: () => Promise<CodecModule>) {
  let loaded: Promise<CodecModule> | undefined;

  async function start(): Promise<CodecModule> {
    let codec: CodecModule;
    let wasmBinary: Uint8Array | undefined;
    try {
      codec = await load();
      wasmBinary = installedFile(`${packageName}/${wasmFile}`);
    } catch {
      throw new ConfigError(
        `${name}: reading such pictures needs the package ${packageName}, which is not installed. Run: npm install ${packageName}`,
      );
    }
    const quiet = () => undefined;
    await codec.init({ ...(wasmBinary ? { wasmBinary } : {}), print: quiet, printErr: quiet });
    return codec;
  }

  return async (bytes: Uint8Array): Promise<Picture> => {
    loaded ??= start();
    try {
      const codec = await loaded;
      // The decoders say no more of a broken picture than that it is.
      const decoded = await codec.default(Uint8Array.from(bytes).buffer).catch((error: Error) => {
        if (error instanceof WebAssembly.RuntimeError) throw error;
        return null;
      });
      if (!decoded) throw new Error("its pixels cannot be decoded");
      const { width, height, data } = decoded;
      return { width, height, channels: 4, data: Uint8Array.from(data) };
    } catch (error) {
      // After a trap or a failed start the next picture begins with a fresh decoder.
      if (error instanceof WebAssembly.RuntimeError || error instanceof ConfigError) loaded = undefined;
      throw error;
    }
  };
}

/** A file of an installed package; undefined outside Node, where the package's own script fetches it. */
function installedFile(path: string): Uint8Array | undefined {
  if (typeof process === "undefined" || !process.versions?.node) return undefined;
  // Asked for by name, so that bundles for browsers need not know Node's modules.
  const { createRequire } = process.getBuiltinModule("node:module");
  const { readFileSync } = process.getBuiltinModule("node:fs");
  return readFileSync(createRequire(import.meta.url).resolve(path));
}
