/** What a program's memory is called, piece by piece. */
import type { Buffer } from "../autograd/buffer.js";
import { nameOf } from "../autograd/names.js";
import { hostData, isConstant, isInput, isParameter, type Tensor } from "../autograd/tensor.js";
import type { arrange } from "./lifetimes.js";
import type { Lowered } from "./lower.js";

/** A stretch of an arena. */
export interface Stretch {
  /** Which of the arenas: there are several only where a storage is too small for one. */
  readonly arena: number;
  /** Bytes from..to-1 of it. */
  readonly from: number;
  readonly to: number;
}

/** A stretch of an arena, and the first and last call that it must be there for: as many as there are calls where it is read afterwards. */
export interface Stay extends Stretch {
  readonly first: number;
  readonly last: number;
}

/** A piece of a program's memory that has a name: a tensor, or scratch memory of a call. */
export interface Region {
  /** The name of an input, parameter or output; the number of a constant of one; else the op that makes it and its node's number. */
  readonly name: string;
  readonly home: "arena" | "input" | "parameter" | "constant" | "run counter";
  readonly elements: number;
  /** Of a region of the arena. */
  readonly stay?: Stay;
}

/** A program and where its memory is. */
export interface Placement extends ReturnType<typeof arrange> {
  readonly lowered: Lowered;
  readonly bytesPerElement: number;
  /** Inputs and outputs by the names that `run` uses. */
  readonly names: ReadonlyMap<Tensor, string>;
  readonly intervals: number;
  readonly roots: readonly Tensor[];
}

/** A tensor and where in its buffer it begins. */
export interface Placed {
  readonly tensor: Tensor;
  readonly start: number;
}

/** The tensors of every buffer: those that `run` knows by name, then the others in the order in which they got their place. */
export function tensorsOf({ lowered: { views }, names }: Placement): Map<Buffer, Placed[]> {
  const result = new Map<Buffer, Placed[]>();
  const all = [...views.all()];
  for (const isNamed of [true, false])
    for (const [tensor, { buffer, offset }] of all) {
      if (names.has(tensor) !== isNamed) continue;
      const own = result.get(buffer) ?? [];
      own.push({ tensor, start: offset });
      result.set(buffer, own);
    }
  return result;
}

/** A region and where in its buffer it begins. */
export interface Located {
  readonly region: Region;
  readonly start: number;
}

/** The regions of every buffer, in the order of their places. */
export function regionsOf(placement: Placement, tensors: ReadonlyMap<Buffer, readonly Placed[]>): Map<Buffer, Located[]> {
  const { lowered, lives, plan, buffers, bytesPerElement, names } = placement;
  const { views, leaves } = lowered;
  const regions = new Map<Buffer, Located[]>();
  const add = (buffer: Buffer, start: number, region: Region): void => {
    const known = regions.get(buffer) ?? [];
    regions.set(buffer, known);
    if (!known.some((own) => own.start === start)) known.push({ start, region });
  };
  add(views.counter, 0, { name: "of runs", home: "run counter", elements: 1 });
  for (const tensor of leaves) {
    const { buffer, offset } = views.of(tensor);
    const home = isInput(tensor) ? "input" : isParameter(tensor) ? "parameter" : "constant";
    const number = isConstant(tensor) && tensor.size === 1 ? String(hostData(tensor)[0]) : undefined;
    add(buffer, offset, { name: number ?? names.get(tensor) ?? nameOf(tensor), home, elements: tensor.size });
  }
  buffers.forEach((buffer, i) => {
    const { arena, offset } = plan.places[i];
    for (const { start, elements, first, last } of lives.get(buffer) ?? []) {
      const own = tensorAt(tensors.get(buffer) ?? [], start, elements) ?? tensorAt(tensors.get(buffer) ?? [], start, 0);
      const name = own ? (names.get(own) ?? nameOf(own)) : `${buffer.name} of call ${first}`;
      const from = (offset + start) * bytesPerElement;
      const stay = { arena, from, to: from + elements * bytesPerElement, first, last };
      add(buffer, start, { name, home: "arena", elements, stay });
    }
  });
  for (const own of regions.values()) own.sort((a, b) => a.start - b.start);
  return regions;
}

/** The smallest tensor at a place that holds so many elements; of several, the first. */
export function tensorAt(tensors: readonly Placed[], offset: number, elements: number): Tensor | undefined {
  const there = tensors.filter(({ start, tensor }) => start === offset && tensor.size >= elements);
  return there.sort((a, b) => a.tensor.size - b.tensor.size)[0]?.tensor;
}
