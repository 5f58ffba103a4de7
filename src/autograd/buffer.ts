import type { DType } from "../base/elements.js";

/** Where a buffer's memory comes from: the program's arena, its constants, an input of its own, parameters of the device, or the counter
 *  of runs. */
export type Home = "arena" | "constants" | "input" | "parameters" | "counter";

/** Memory that a program uses, before it has an address. */
export class Buffer {
  /** Where parts begin that come and go at times of their own; a buffer without any is one part. */
  readonly cuts = new Set<number>();

  constructor(
    readonly name: string,
    readonly type: DType,
    readonly elements: number,
    readonly home: Home,
  ) {}

  toString(): string {
    return `${this.name} (${this.home}, ${this.elements} ${this.type})`;
  }
}

/** A place in a buffer, from element `offset` on. */
export interface View {
  readonly buffer: Buffer;
  readonly offset: number;
}

/** A view and how many elements of it are meant. */
export interface Range extends View {
  readonly elements: number;
}

/** Whether one range begins where the other ends. */
export const follows = (next: View, before: Range): boolean =>
  next.buffer === before.buffer && next.offset === before.offset + before.elements;

/** Neighbours in a list of tensors that every buffer of them holds side by side, as one: the index of the first, and their elements.
 *  `places` are the views of each kind (weights, gradients, …), in the order of the list. */
export function runsOf(
  sizes: readonly number[],
  ...places: readonly (readonly View[])[]
): { readonly first: number; readonly elements: number }[] {
  const runs: { first: number; elements: number }[] = [];
  sizes.forEach((size, i) => {
    const run = runs.at(-1);
    const goesOn = (views: readonly View[]) => run && follows(views[i], { ...views[run.first], elements: run.elements });
    if (run && places.every(goesOn)) run.elements += size;
    else runs.push({ first: i, elements: size });
  });
  return runs;
}
