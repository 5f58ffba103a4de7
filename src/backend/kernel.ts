/** How a kernel says what it is: everything else that is known of kernels is derived from this. */
import type { ElementType } from "../base/elements.js";

/** A number that a kernel is given: `int` fits 32 bits, `float` is rounded to float32 where the device computes in it. */
export type NumberRole = "int" | "float";
/** The numbers of a call, by name. */
export type Numbers<N> = { readonly [P in keyof N]: number };

/** A buffer that a kernel is given. Tensors are row-major and contiguous; sizes and strides count elements. */
export interface BufferRole<N, O extends boolean = boolean> {
  readonly type: ElementType;
  readonly access: "read" | "write";
  /** Whether it may be null. */
  readonly optional: O;
  /** Elements that the kernel may touch, from the buffer's first. */
  readonly extent: (numbers: Numbers<N>) => number;
  /** Elements that it moves, where these are not all of its extent. */
  readonly moved?: (numbers: Numbers<N>) => number;
}

/** What a call does beside moving bytes. */
export interface Work {
  /** Multiply-adds of matrix products. */
  readonly multiplyAdds?: number;
  /** Elements that an elementwise or row kernel computes, times its instructions. */
  readonly elementOps?: number;
}

type Buffers<N> = Readonly<Record<string, BufferRole<N>>>;
/** What the reference is given: arrays by the names of buffers, and numbers. */
type ReferenceArguments<N, B extends Buffers<N>> = {
  readonly [P in keyof B]: B[P]["optional"] extends true ? Float64Array | null : Float64Array;
} & Numbers<N>;

export interface Kernel<N extends Readonly<Record<string, NumberRole>>, B extends Buffers<N>> {
  readonly numbers: N;
  readonly buffers: B;
  readonly work?: (numbers: Numbers<N>) => Work;
  /** The truth, in float64. Every buffer starts at its tensor's first element. */
  readonly reference: (args: ReferenceArguments<N, B>) => void;
}

/** Defines a kernel: its numbers first, so that the extents of its buffers are checked against them. */
export const kernel =
  <const N extends Readonly<Record<string, NumberRole>>>(numbers: N) =>
  <const B extends Buffers<N>>(rest: Omit<Kernel<N, B>, "numbers">): Kernel<N, B> => ({ numbers, ...rest });

type Extent<N> = (numbers: Numbers<N>) => number;

/** A buffer that is read. */
export const read = <N>(type: ElementType, extent: Extent<N>, moved?: Extent<N>): BufferRole<N, false> => ({
  type,
  access: "read",
  optional: false,
  extent,
  ...(moved && { moved }),
});

/** A buffer that is written. */
export const write = <N>(type: ElementType, extent: Extent<N>, moved?: Extent<N>): BufferRole<N, false> => ({
  ...read(type, extent, moved),
  access: "write",
});

/** The same, or null. */
export const optional = <N>(role: BufferRole<N, false>): BufferRole<N, true> => ({ ...role, optional: true });
