/** The text of a dispatch: a header that a call's kernel and memory say, and a body from `wgsl/` or from a fused call's instructions. */
import type { ElementType } from "../../base/elements.js";
import { DeviceError } from "../../base/errors.js";
import { type BufferUse, callBuffers, type KernelCall, kernelOf } from "../calls.js";
import type { Slot, Storage } from "../device.js";
import { fusedBody, reduceBody, riderText } from "./generated.js";
import { launchesOf } from "./launches.js";
import type { Rider } from "./riders.js";
import { type Body, float, integer } from "./text.js";
import { bodies } from "./wgsl.generated.js";

/** A storage that a dispatch binds, once, whatever it reads and writes of it. */
export interface Bound<S> {
  readonly storage: S;
  readonly writes: boolean;
}

/** A dispatch, without its pipeline. */
export interface Dispatch<S> {
  /** Equal texts are one pipeline. */
  readonly code: string;
  readonly bound: readonly Bound<S>[];
  /** Where each buffer begins in its storage: what equal dispatches differ in. */
  readonly offsets: readonly number[];
  readonly groups: number;
}

/** Offsets are given in vectors of four. */
export const offsetVectors = (count: number): number => Math.max(1, Math.ceil(count / 4));

/** The dispatches of a call, and of what rides with it. `memory`: the buffer of the device that holds a storage, and from which element on. */
export function dispatchesOf<S>(
  call: KernelCall<Slot>,
  memory: (storage: Storage) => { readonly buffer: S; readonly first: number },
  rider?: Rider,
): readonly Dispatch<S>[] {
  // What a fused call reads and writes has numbers, not names.
  const named = (use: BufferUse<Slot>, prefix = "") => {
    const { buffer, first } = memory(use.buffer.storage);
    const name = prefix + use.name.replace(/^read /, "x").replace(/^write ?/, "y");
    return { ...use, name, buffer, offset: first + use.buffer.offset, carries: !prefix && use.name === rider?.output };
  };
  const uses = [
    ...callBuffers(call).map((use) => named(use)),
    ...(rider ? callBuffers(rider.call).flatMap((use, i) => (rider.own.has(i) ? [] : [named(use, "rider_")])) : []),
  ];
  const storages = [...new Set(uses.map(({ buffer }) => buffer))];
  const bound = storages.map((storage) => ({ storage, writes: uses.some((use) => use.writes && use.buffer === storage) }));
  const offsets = uses.map(({ offset }) => offset);
  const memoryCode = [
    `@group(0) @binding(0) var<uniform> offsets: array<vec4<i32>, ${offsetVectors(offsets.length)}>;`,
    ...storages.map((storage, i) => declaration(i, bound[i].writes, wordOf(storage, uses))),
    ...uses.map((use, i) => accessors(use, i, storages.indexOf(use.buffer), wordOf(use.buffer, uses))),
  ];
  const riding = rider ? riderText(rider, call.kernel === "fused" || call.kernel === "reduce") : [];
  return bodiesOf(call).map((body) => {
    const { kind, lanes } = body.launch;
    const groups = kind === "groups" ? body.count : Math.ceil(body.count / lanes);
    return { code: [...memoryCode, ...body.text, ...riding, entry(body)].join("\n"), bound, offsets, groups };
  });
}

/** Element types that a storage is bound as: of several uses it is read as bits. */
type Word = "f32" | "i32" | "u32";

function wordOf<S>(storage: S, uses: readonly BufferUse<S>[]): Word {
  const types = new Set(uses.filter(({ buffer }) => buffer === storage).map(({ type }) => numberType(type)));
  const [only] = types;
  return types.size === 1 ? only : "u32";
}

function numberType(type: ElementType): "f32" | "i32" {
  if (type === "f32" || type === "i32") return type;
  throw new DeviceError(`webgpu: no kernel reads ${type}, which is a fault of the engine.`);
}

const declaration = (index: number, writes: boolean, word: Word): string =>
  `@group(0) @binding(${index + 1}) var<storage, ${writes ? "read_write" : "read"}> storage${index}: array<${word}>;`;

/** Functions that read and write a buffer by its own elements. */
function accessors<S>(use: BufferUse<S> & { readonly carries: boolean }, index: number, storage: number, word: Word): string {
  const { name, carries } = use;
  const type = numberType(use.type);
  const place = `storage${storage}[offsets[${Math.floor(index / 4)}][${index % 4}] + i]`;
  const same = word === type;
  const lines = [`fn read_${name}(i: i32) -> ${type} { return ${same ? place : `bitcast<${type}>(${place})`}; }`];
  if (use.writes) {
    const write = `${place} = ${same ? "value" : `bitcast<${word}>(value)`};`;
    lines.push(`fn write_${name}(i: i32, value: ${type}) { ${write}${carries ? " ride(i, value);" : ""} }`);
  }
  return lines.join("\n");
}

function bodiesOf(call: KernelCall<Slot>): readonly Body[] {
  if (call.kernel === "fused") return [fusedBody(call)];
  if (call.kernel === "reduce") return [reduceBody(call)];
  const args: Readonly<Record<string, unknown>> = call.args;
  const spec = kernelOf(call.kernel);
  const numbers = Object.fromEntries(Object.keys(spec.numbers).map((name) => [name, Number(args[name])]));
  const constants = [
    ...Object.entries(spec.numbers).map(([name, role]) =>
      role === "int" ? `const ${name}: i32 = ${integer(numbers[name])};` : `const ${name}: f32 = ${float(numbers[name])};`,
    ),
    ...Object.entries(spec.buffers).flatMap(([name, { optional, type, access }]) => {
      if (!optional) return [];
      const isThere = args[name] !== null;
      const nothing = [
        `fn read_${name}(i: i32) -> ${numberType(type)} { return ${type === "f32" ? "0.0" : "0"}; }`,
        ...(access === "write" ? [`fn write_${name}(i: i32, value: ${numberType(type)}) {}`] : []),
      ];
      return [`const has_${name} = ${isThere};`, ...(isThere ? [] : nothing)];
    }),
    ...(call.kernel === "sinusoid" ? [frequencyParts(call.args)] : []),
  ];
  return launchesOf(call.kernel, numbers).map((launch) => ({
    launch,
    count: launch.count(numbers),
    text: [`const lanes: i32 = ${launch.lanes};`, ...constants, ...launch.files.map((file) => bodies[file])],
  }));
}

/** Frequencies over 2π, each as four numbers of 12 bits that sum up to it. */
function frequencyParts({ half, maxPeriod }: { readonly half: number; readonly maxPeriod: number }): string {
  const rows = Array.from({ length: half }, (_, k) => {
    let rest = maxPeriod ** (-k / half) / (2 * Math.PI);
    const parts = Array.from({ length: 4 }, () => {
      const step = 2 ** (Math.floor(Math.log2(rest || 1)) - 11);
      const own = Math.floor(rest / step) * step;
      rest -= own;
      return float(own);
    });
    return `vec4<f32>(${parts.join(", ")})`;
  });
  return [
    `const frequencyTable = array<vec4<f32>, ${half}>(${rows.join(", ")});`,
    "fn frequency_parts(k: i32) -> vec4<f32> { return frequencyTable[k]; }",
  ].join("\n");
}

/** A grid has up to 65,535 groups a dimension: it is folded, and what is left over does nothing. */
function entry({ launch: { kind, lanes }, count }: Body): string {
  const call =
    kind === "groups"
      ? `if (index < ${count}) { group(index, i32(lane)); }`
      : `let i = index * ${lanes} + i32(lane);\n  if (i < ${count}) { element(i); }`;
  return `@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) at: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = i32(at.y * grid.x + at.x);
  ${call}
}`;
}
