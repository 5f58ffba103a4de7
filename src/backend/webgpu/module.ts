/** The text of a dispatch: what its members do, each by itself, and how its workgroups are shared out among them. */
import type { SharedArray } from "./launches.js";
import type { Body } from "./text.js";

/** A body on memory of its own. It finds where that begins in the table of offsets, from vector `row` on. */
export interface Member extends Body {
  /** Elements that its buffers begin at. */
  readonly offsets: readonly number[];
}

/** A dispatch of members. */
export interface Shared {
  readonly code: string;
  readonly offsets: readonly number[];
  readonly groups: number;
  /** What a workgroup has in its memory. @units bytes */
  readonly workgroupBytes: number;
}

/** Members whose texts are one. */
interface Part {
  readonly body: Member;
  /** Vectors of offsets of one of them, and the first of all. */
  readonly vectors: number;
  readonly row: number;
  readonly copies: number;
  readonly groups: number;
}

/** Offsets are given in vectors of four. */
const vectorsOf = (offsets: readonly number[]): number => Math.max(1, Math.ceil(offsets.length / 4));

/** Shares the workgroups of a dispatch out among members, of which none waits for another. `declarations`: what they are bound to. */
export function share(members: readonly Member[], declarations: readonly string[]): Shared {
  const alike = new Map<string, Member[]>();
  for (const own of members) {
    const key = `${own.count}\n${own.text}`;
    alike.set(key, [...(alike.get(key) ?? []), own]);
  }
  const lanes = Math.max(...members.map((member) => (member.kind === "groups" ? member.lanes : 0))) || members[0].lanes;
  const offsets: number[] = [];
  const parts = [...alike.values()].map((own): Part => {
    const [body] = own;
    const row = offsets.length / 4;
    const vectors = vectorsOf(body.offsets);
    for (const { offsets: some } of own) offsets.push(...some, ...new Array<number>(4 * vectors - some.length).fill(0));
    const groups = body.kind === "groups" ? body.count : Math.ceil(body.count / lanes);
    return { body, vectors, row, copies: own.length, groups };
  });
  const memory = sharedMemory(
    parts.map(({ body: { arrays = [], text }, row, copies }, i) => {
      const whole = `${copies === 1 ? `const row: i32 = ${row};` : "var<private> row: i32;"}\n${text}`;
      return { arrays, text: parts.length === 1 ? whole : apart(whole, prefixOf(i)) };
    }),
  );
  const bySubgroups = members.some((member) => member.bySubgroups);
  const code = [
    ...(bySubgroups ? ["enable subgroups;", "var<private> subgroup: i32;", "var<private> subgroups: i32;"] : []),
    `@group(0) @binding(0) var<uniform> offsets: array<vec4<i32>, ${offsets.length / 4}>;`,
    ...declarations,
    ...new Set(members.flatMap(({ library }) => library)),
    ...memory.arrays.map(({ name, type, count }) => `var<workgroup> ${name}: array<${type}, ${count}>;`),
    ...memory.texts,
    entry(parts, lanes, bySubgroups),
  ].join("\n");
  const groups = parts.reduce((sum, own) => sum + own.copies * own.groups, 0);
  return { code, offsets, groups, workgroupBytes: bytesOf(memory.arrays) };
}

const prefixOf = (part: number): string => `of${part}_`;

/** A text whose own names begin with a prefix. A name behind a point is no name of the text's, but a component's. */
export function apart(text: string, prefix: string): string {
  const names = [...text.matchAll(/^(?:fn|const|var(?:<\w+>)?) (\w+)/gm)].map(([, name]) => name);
  return text.replace(new RegExp(`(?<![.\\w])(?:${[...new Set(names)].join("|")})\\b`, "g"), (name) => prefix + name);
}

/** Texts whose arrays in workgroup memory are the same ones, as large as any needs: a workgroup runs one text alone. */
function sharedMemory(bodies: readonly { readonly text: string; readonly arrays: readonly SharedArray[] }[]) {
  const all = new Map<string, SharedArray>();
  const texts = bodies.map(({ text, arrays }) => {
    const names = new Map<string, string>();
    for (const { name: own, type, count } of arrays) {
      const alike = arrays.filter((other) => other.type === type);
      const name = `shared_${type}_${alike.findIndex((other) => other.name === own)}`;
      all.set(name, { name, type, count: Math.max(count, all.get(name)?.count ?? 0) });
      names.set(own, name);
    }
    return names.size === 0 ? text : text.replace(/\w+/g, (word) => names.get(word) ?? word);
  });
  return { arrays: [...all.values()], texts };
}

/** What an element takes. @units bytes */
const elementBytes = { f32: 4, vec2f: 8, vec3f: 16, vec4f: 16 } as const;

/** What adapters count of arrays. @source https://www.w3.org/TR/webgpu/#dom-supported-limits-maxcomputeworkgroupstoragesize */
const bytesOf = (arrays: readonly SharedArray[]): number =>
  arrays.reduce((sum, { type, count }) => sum + 16 * Math.ceil((elementBytes[type] * count) / 16), 0);

/** A grid has up to 65,535 groups a dimension: it is folded, and what is left over does nothing. */
function entry(parts: readonly Part[], lanes: number, bySubgroups: boolean): string {
  let first = 0;
  const branches = parts.map(({ body: { kind, count }, vectors, row, copies, groups }, i) => {
    const prefix = parts.length === 1 ? "" : prefixOf(i);
    const own = first === 0 ? "index" : `index - ${first}`;
    first += copies * groups;
    return [
      `if (index < ${first}) {`,
      `    let own = ${own};`,
      ...(copies === 1 ? [] : [`    ${prefix}row = ${row} + own / ${groups} * ${vectors};`]),
      `    let at = ${copies === 1 ? "own" : `own % ${groups}`};`,
      ...(kind === "groups"
        ? [`    ${prefix}group(at, i32(lane));`]
        : [`    let i = at * ${lanes} + i32(lane);`, `    if (i < ${count}) { ${prefix}element(i); }`]),
      "  }",
    ].join("\n");
  });
  const given = [
    "@builtin(workgroup_id) place: vec3<u32>",
    "@builtin(num_workgroups) grid: vec3<u32>",
    "@builtin(local_invocation_index) lane: u32",
    ...(bySubgroups ? ["@builtin(subgroup_id) subgroup_own: u32", "@builtin(num_subgroups) subgroup_count: u32"] : []),
  ];
  return [
    `@compute @workgroup_size(${lanes})`,
    `fn main(${given.join(", ")}) {`,
    ...(bySubgroups ? ["  subgroup = i32(subgroup_own);", "  subgroups = i32(subgroup_count);"] : []),
    "  let index = i32(place.y * grid.x + place.x);",
    `  ${branches.join(" else ")}`,
    "}",
  ].join("\n");
}
