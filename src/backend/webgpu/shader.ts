/** Calls as a dispatch: what they are bound to, and how their kernels come by it. */
import { type BufferUse, callBuffers, type KernelCall } from "../calls.js";
import type { Slot, Storage } from "../device.js";
import { bodiesOf } from "./bodies.js";
import { riderText } from "./generated.js";
import { type Shared, share } from "./module.js";
import type { Rider } from "./riders.js";
import { numberType } from "./text.js";

/** A call, and what rides with it. */
export interface Ridden {
  readonly call: KernelCall<Slot>;
  readonly rider?: Rider<Slot> | undefined;
}

/** A storage that a dispatch binds, once, whatever it reads and writes of it. */
export interface Bound<S> {
  readonly storage: S;
  readonly writes: boolean;
}

/** A dispatch, without its pipeline. Equal texts are one; what equal dispatches differ in are the offsets of their buffers. */
export interface Dispatch<S> extends Shared {
  readonly bound: readonly Bound<S>[];
}

/** A buffer of a call, by its name in WGSL. */
interface Use<S> extends BufferUse<S> {
  readonly offset: number;
  /** Whether what rides goes on with its elements. */
  readonly carries: boolean;
}

/** The dispatch of calls that run at once. `memory`: the buffer of the device that holds a storage, and from which element on. */
export function dispatchOf<S>(
  calls: readonly Ridden[],
  memory: (storage: Storage) => { readonly buffer: S; readonly first: number },
): Dispatch<S> {
  const uses = calls.map((own) => usesOf(own, memory));
  const all = uses.flat();
  const storages = [...new Set(all.map(({ buffer }) => buffer))];
  const words = storages.map((storage) => wordOf(all.filter(({ buffer }) => buffer === storage)));
  const bound = storages.map((storage) => ({ storage, writes: all.some((use) => use.writes && use.buffer === storage) }));
  const declarations = words.map(
    (word, i) =>
      `@group(0) @binding(${i + 1}) var<storage, ${bound[i].writes ? "read_write" : "read"}> storage${i}: array<${word}>;`,
  );
  const members = calls.flatMap(({ call, rider }, i) => {
    const access = uses[i].map((use, j) => {
      const storage = storages.indexOf(use.buffer);
      return accessors(use, j, storage, words[storage]);
    });
    const riding = rider && riderText(rider);
    const offsets = uses[i].map(({ offset }) => offset);
    return bodiesOf(call).map((body) => ({
      ...body,
      library: [...body.library, ...(riding?.library ?? [])],
      text: [...access, body.text, ...(riding ? [riding.text] : [])].join("\n"),
      offsets,
    }));
  });
  return { ...share(members, declarations), bound };
}

/** What a call and its rider read and write. What a fused call does has numbers, not names. */
function usesOf<S>(
  { call, rider }: Ridden,
  memory: (storage: Storage) => { readonly buffer: S; readonly first: number },
): readonly Use<S>[] {
  const named = (use: BufferUse<Slot>, prefix: string, carries: boolean): Use<S> => {
    const { buffer, first } = memory(use.buffer.storage);
    const name = prefix + use.name.replace(/^read /, "x").replace(/^write ?/, "y");
    return { ...use, name, buffer, offset: first + use.buffer.offset, carries };
  };
  return [
    ...callBuffers(call).map((use) => named(use, "", use.name === rider?.output)),
    ...(rider ? callBuffers(rider.call).flatMap((use, i) => (rider.own.has(i) ? [] : [named(use, "rider_", false)])) : []),
  ];
}

/** Element types that a storage is bound as: of several uses it is read as bits. */
type Word = "f32" | "i32" | "u32";

function wordOf(uses: readonly Use<unknown>[]): Word {
  const types = new Set(uses.map(({ type }) => numberType(type)));
  const [only] = types;
  return types.size === 1 ? only : "u32";
}

/** Functions that read and write a buffer by its own elements. */
function accessors({ name, type: own, writes, carries }: Use<unknown>, index: number, storage: number, word: Word): string {
  const type = numberType(own);
  const place = `storage${storage}[offsets[row + ${Math.floor(index / 4)}][${index % 4}] + i]`;
  const same = word === type;
  const lines = [`fn read_${name}(i: i32) -> ${type} { return ${same ? place : `bitcast<${type}>(${place})`}; }`];
  if (writes) {
    const write = `${place} = ${same ? "value" : `bitcast<${word}>(value)`};`;
    lines.push(`fn write_${name}(i: i32, value: ${type}) { ${write}${carries ? " ride(i, value);" : ""} }`);
  }
  return lines.join("\n");
}
