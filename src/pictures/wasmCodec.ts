import { runtime } from "#runtime";
import { ConfigError } from "../base/errors.js";
import type { Picture } from "./picture.js";

/** What is used of a decoder that is WebAssembly with a little script around it. */
interface CodecModule {
  readonly init: (options: Record<string, unknown>) => Promise<unknown>;
  readonly default: (bytes: ArrayBuffer) => Promise<{ width: number; height: number; data: ArrayLike<number> } | null>;
}

/** Where a decoder is, and what it says of pictures that are not whole. */
interface CodecSource {
  readonly packageName: string;
  /** Path of the WASM file in the package. */
  readonly wasmFile: string;
  readonly load: () => Promise<CodecModule>;
  /** Whether a line that it would print means that the picture is broken. */
  readonly isFatal?: (complaint: string) => boolean;
}

/**
 * A decoder made of a script and a WASM file of one package, loaded when first used; `format` names it in errors.
 * @returns decodes bytes; throws ConfigError when the package is not installed, Error when the picture is broken
 */
export function wasmCodec(format: string, { packageName, wasmFile, load, isFatal = () => false }: CodecSource) {
  let loaded: Promise<CodecModule> | undefined;
  let complaints: string[] = [];

  async function start(): Promise<CodecModule> {
    let codec: CodecModule;
    let wasmBinary: Uint8Array | undefined;
    try {
      codec = await load();
      wasmBinary = await runtime.packages.read(`${packageName}/${wasmFile}`);
    } catch {
      throw new ConfigError(
        `${format}: reading it needs the package ${packageName}, which is not installed. Run: npm install ${packageName}`,
      );
    }
    const hear = (line: unknown) => void complaints.push(String(line));
    await codec.init({ ...(wasmBinary ? { wasmBinary } : {}), print: hear, printErr: hear });
    return codec;
  }

  async function decode(bytes: Uint8Array): Promise<Picture> {
    loaded ??= start();
    const codec = await loaded.catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    complaints = [];
    const decoded = await codec.default(Uint8Array.from(bytes).buffer).catch(() => {
      // Whatever stopped it, the next picture begins with a fresh decoder.
      loaded = undefined;
      return null;
    });
    if (!decoded || complaints.some(isFatal)) throw new Error("its pixels cannot be decoded");
    const { width, height, data } = decoded;
    return { width, height, channels: 4, data: Uint8Array.from(data) };
  }

  // One after the other, so that what is heard is of one picture.
  let last: Promise<unknown> = Promise.resolve();
  return (bytes: Uint8Array): Promise<Picture> => {
    const mine = last.then(() => decode(bytes));
    last = mine.catch(() => undefined);
    return mine;
  };
}
