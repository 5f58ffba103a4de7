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
