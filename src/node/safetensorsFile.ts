/** Safetensors files of any size, read and written tensor by tensor: never held whole, never cut by the 2 GiB of one read. */
import { type FileHandle, open } from "node:fs/promises";
import { DeviceError, FormatError } from "../base/errors.js";
import { decode, type HostTensor, refusalAt, type SafetensorsFile, type WriteOptions } from "../io/safetensors.js";
import { largestHeader, readHeader, type SafetensorsHeader, type TensorEntry } from "../io/safetensorsHeader.js";
import { defaultPartBytes, type PartOptions, safetensorsParts, type TensorSource } from "../io/safetensorsParts.js";
import { fileError, writeFileAtomic } from "./atomicFile.js";

/** What is read first: most headers are in it whole. */
const firstBytes = 1 << 16;

/** An open safetensors file: its header has been checked, its tensors are read when asked for. */
export class SafetensorsReader {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly header: SafetensorsHeader,
    private readonly partBytes: number,
  ) {}

  /** @throws FormatError when it is not a whole safetensors file
   *  @throws FileError when it cannot be read */
  static async open(path: string, { partBytes = defaultPartBytes }: PartOptions = {}): Promise<SafetensorsReader> {
    const file = await open(path, "r").catch((error) => {
      throw fileError(path, "could not be read", error);
    });
    try {
      return new SafetensorsReader(path, file, await headerOf(file, path, partBytes), partBytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.header.metadata;
  }

  /** In the order of their bytes in the file. */
  get entries(): readonly TensorEntry[] {
    return this.header.entries;
  }

  /** Reads one tensor.
   *  @throws FormatError when the file has become shorter
   *  @throws DeviceError when the host has no memory for it */
  async tensor(entry: TensorEntry): Promise<HostTensor> {
    const bytes = allocate(entry, this.path);
    await readInto(this.file, bytes, this.header.bytes + entry.from, this.path, this.partBytes);
    return { dtype: entry.dtype, shape: entry.shape, data: decode(entry, bytes.buffer, this.path) };
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function headerOf(file: FileHandle, path: string, partBytes: number): Promise<SafetensorsHeader> {
  const { size } = await file.stat();
  const head = async (bytes: number) => {
    const result = new Uint8Array(Math.min(bytes, size));
    await readInto(file, result, 0, path, partBytes);
    return result;
  };
  const first = await head(firstBytes);
  const refuse = refusalAt(path, first, size);
  const length = first.length < 8 ? 0 : Number(new DataView(first.buffer).getBigUint64(0, true));
  const whole = 8 + length <= first.length || length > largestHeader || 8 + length > size;
  return readHeader(whole ? first : await head(8 + length), refuse, size);
}

/** A buffer of its own, so that numbers lie aligned. */
function allocate({ name, from, to }: TensorEntry, path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(to - from);
  } catch (error) {
    const size = `${((to - from) / 2 ** 30).toFixed(1)} GiB`;
    throw new DeviceError(
      `${path}: the host has no memory for tensor ${JSON.stringify(name)} of ${size}. Close other programs, or use a larger machine.`,
      { cause: error },
    );
  }
}

async function readInto(file: FileHandle, bytes: Uint8Array, from: number, path: string, partBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const part = bytes.subarray(at, at + partBytes);
    const { bytesRead } = await file.read(part, 0, part.length, from + at).catch((error) => {
      throw fileError(path, "could not be read", error);
    });
    if (bytesRead === 0) {
      throw new FormatError(`${path}: ends at byte ${from + at}: it became shorter while it was read. Copy the file again.`);
    }
    at += bytesRead;
  }
}

/** Reads a safetensors file of any size; with `only`, the tensors of these names.
 *  @throws FormatError when it is not a whole safetensors file
 *  @throws FileError when it cannot be read */
export async function readSafetensorsFile(
  path: string,
  { only = () => true, ...options }: PartOptions & { readonly only?: (name: string) => boolean } = {},
): Promise<SafetensorsFile> {
  const reader = await SafetensorsReader.open(path, options);
  try {
    const tensors = new Map<string, HostTensor>();
    for (const entry of reader.entries) if (only(entry.name)) tensors.set(entry.name, await reader.tensor(entry));
    return { metadata: reader.metadata, tensors };
  } finally {
    await reader.close();
  }
}

/**
 * Writes a safetensors file of any size, as `writeSafetensors` lays it out and `writeFileAtomic` keeps it: one tensor is held at
 * a time.
 * @throws FormatError when a shape does not fit its numbers, or a name is taken by the format
 * @throws FileError when the file system refuses; the old file is as it was
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: ReadonlyMap<string, TensorSource>,
  metadata: Readonly<Record<string, string>> = {},
  options: WriteOptions & PartOptions = {},
): Promise<void> {
  await writeFileAtomic(path, safetensorsParts(tensors, metadata, options));
}
