/** Calls as a dispatch: what they are bound to, and how their kernels come by it. */
import { type BufferUse, callBuffers, type KernelCall } from "../calls.js";
import type { Slot, Storage } from "../device.js";
import { bodiesOf } from "./bodies.js";
import { riderText } from "./generated.js";
import type { Ways } from "./launches.js";
import { apart, type Shared, share } from "./module.js";
import type { Rider } from "./riders.js";
import { type Body, numberType } from "./text.js";

/** A call, what rides with it, and of their buffers those that are made again where they are read. */
export interface Ridden {
  readonly call: KernelCall<Slot>;
  readonly rider?: Rider<Slot> | undefined;
  readonly sources?: ReadonlyMap<number, Made & { readonly unit: Ridden }>;
}

/** Which buffer of a call is made again, and from which of its elements on. */
interface Made {
  readonly result: number;
  readonly first: number;
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
  /** Where it begins in its storage. */
  readonly offset: number;
  /** Its place in the table of offsets. */
  readonly index: number;
  /** Whether what rides goes on with its elements. */
  readonly carries: boolean;
  /** Whether it is what is made again. */
  readonly isResult: boolean;
  /** What makes it again, instead of reading it. */
  readonly maker?: Spelled<S>;
}

/** A call whose buffers have names. Where one is made again, nothing is written. */
interface Spelled<S> {
  readonly own: Ridden;
  readonly uses: readonly Use<S>[];
  readonly made: Made | undefined;
}

/** How a storage is bound. */
type Binding<S> = (storage: S) => { readonly index: number; readonly word: Word };
type Memory<S> = (storage: Storage) => { readonly buffer: S; readonly first: number };

/** The dispatch of calls that run at once. `memory`: the buffer of the device that holds a storage, and from which element on;
 *  `ways`: how kernels are made. */
export function dispatchOf<S>(calls: readonly Ridden[], memory: Memory<S>, ways: Ways): Dispatch<S> {
  const tables = calls.map((): Use<S>[] => []);
  const spelled = calls.map((own, i) => spell(own, memory, tables[i]));
  const all = tables.flat();
  const storages = [...new Set(all.map(({ buffer }) => buffer))];
  const words = storages.map((storage) => wordOf(all.filter(({ buffer }) => buffer === storage)));
  const bound = storages.map((storage) => ({ storage, writes: all.some((use) => use.writes && use.buffer === storage) }));
  const declarations = words.map(
    (word, i) =>
      `@group(0) @binding(${i + 1}) var<storage, ${bound[i].writes ? "read_write" : "read"}> storage${i}: array<${word}>;`,
  );
  const binding = (storage: S) => ({ index: storages.indexOf(storage), word: words[storages.indexOf(storage)] });
  const members = spelled.flatMap((own, i) => {
    const offsets = tables[i].map(({ offset }) => offset);
    return membersOf(own, binding, ways).map((body) => ({ ...body, offsets }));
  });
  return { ...share(members, declarations), bound };
}

/** Names what a call and its rider read and write, and takes down in a table what of it must be bound. */
function spell<S>(own: Ridden, memory: Memory<S>, table: Use<S>[], made?: Made): Spelled<S> {
  const { call, rider, sources } = own;
  const carried = callBuffers(call);
  const riding = rider ? callBuffers(rider.call) : [];
  const uses = [...carried, ...riding].flatMap((use, i): Use<S>[] => {
    const rides = i >= carried.length;
    if (rides && rider?.own.has(i - carried.length)) return [];
    const { buffer, first } = memory(use.buffer.storage);
    // What a fused call reads and writes has numbers, not names.
    const name = (rides ? "rider_" : "") + use.name.replace(/^read /, "x").replace(/^write ?/, "y");
    const named = { ...use, name, buffer, offset: first + use.buffer.offset, index: table.length };
    const source = sources?.get(i);
    const makes = source && { maker: spell(source.unit, memory, table, source) };
    const spelled = { ...named, carries: !rides && use.name === rider?.output, isResult: i === made?.result, ...makes };
    if (!source && !(use.writes && made)) table.push(spelled);
    return [spelled];
  });
  return { own, uses, made };
}

/** The bodies of a call, with how they come by their buffers and what rides. */
function membersOf<S>({ own: { call, rider }, uses, made }: Spelled<S>, binding: Binding<S>, ways: Ways): readonly Body[] {
  const makers = uses.flatMap(({ name, maker }) => (maker ? [makerText(name, maker, binding, ways)] : []));
  const access = uses.flatMap((use) => (use.maker ? [] : made ? resultAccessors(use, binding) : accessors(use, binding)));
  const riding = rider ? [riderText(rider)] : [];
  return bodiesOf(call, ways).map((body) => ({
    ...body,
    library: [body, ...makers, ...riding].flatMap(({ library }) => library),
    text: [...makers.map(({ text }) => text), ...access, body.text, ...riding.map(({ text }) => text)].join("\n"),
  }));
}

/** A function that reads a buffer by making its elements. */
function makerText<S>(name: string, maker: Spelled<S>, binding: Binding<S>, ways: Ways): Pick<Body, "library" | "text"> {
  const prefix = `of_${name}_`;
  const [{ library, text }] = membersOf(maker, binding, ways);
  const own = apart(`var<private> made: f32;\n${text}`, prefix);
  const element = maker.made?.first ? `i + ${maker.made.first}` : "i";
  return {
    library,
    text: `${own}\nfn read_${name}(i: i32) -> f32 {\n  ${prefix}element(${element});\n  return ${prefix}made;\n}`,
  };
}

/** Element types that a storage is bound as: of several uses it is read as bits. */
type Word = "f32" | "i32" | "u32";

function wordOf(uses: readonly Use<unknown>[]): Word {
  const types = new Set(uses.map(({ type }) => numberType(type)));
  const [only] = types;
  return types.size === 1 ? only : "u32";
}

/** Functions that read and write a buffer by its own elements. */
function accessors<S>({ name, type: own, writes, carries, index, buffer }: Use<S>, binding: Binding<S>): string[] {
  const type = numberType(own);
  const { index: storage, word } = binding(buffer);
  const place = `storage${storage}[offsets[row + ${Math.floor(index / 4)}][${index % 4}] + i]`;
  const same = word === type;
  const lines = [`fn read_${name}(i: i32) -> ${type} { return ${same ? place : `bitcast<${type}>(${place})`}; }`];
  if (writes) {
    const write = `${place} = ${same ? "value" : `bitcast<${word}>(value)`};`;
    lines.push(`fn write_${name}(i: i32, value: ${type}) { ${write}${carries ? " ride(i, value);" : ""} }`);
  }
  return lines;
}

/** The same where a result is made again: it is kept, and nothing is written. */
function resultAccessors<S>(use: Use<S>, binding: Binding<S>): string[] {
  if (!use.writes) return accessors(use, binding);
  const then = use.isResult ? "made = value;" : use.carries ? "ride(i, value);" : "";
  return [`fn write_${use.name}(i: i32, value: f32) { ${then} }`];
}
