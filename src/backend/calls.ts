/** Calls of kernels, and what is derived from the kernels' own words: buffers, exact ranges, costs. */
import { type ElementType, elementBytes } from "../base/elements.js";
import type { BufferRole, NumberRole, Work } from "./kernel.js";
import { type FusedCall, fused } from "./kernels/fused.js";
import { type KernelName, kernels } from "./kernels/index.js";
import { type ReduceCall, reduce } from "./kernels/reduce.js";

type Kernels = typeof kernels;

/** The arguments of kernel K when a buffer is represented by B. */
export type KernelArgs<K extends KernelName, B> = {
  readonly [P in keyof Kernels[K]["buffers"]]: Kernels[K]["buffers"][P] extends BufferRole<never, true> ? B | null : B;
} & { readonly [P in keyof Kernels[K]["numbers"]]: number };

/** A call of a plain kernel. */
export type PlainCall<B> = { [K in KernelName]: { readonly kernel: K; readonly args: KernelArgs<K, B> } }[KernelName];
export type KernelCall<B> = PlainCall<B> | FusedCall<B> | ReduceCall<B>;

/** A kernel as those see it who treat all alike. */
interface AnyKernel {
  readonly numbers: Readonly<Record<string, NumberRole>>;
  readonly buffers: Readonly<Record<string, BufferRole<Record<string, number>>>>;
  readonly work?: (numbers: Readonly<Record<string, number>>) => Work;
  readonly reference: (args: Readonly<Record<string, Float64Array | number | null>>) => void;
}
/** The kernel of a name, its types widened: what a call of that name holds fits it. */
export const kernelOf = (name: KernelName): AnyKernel => kernels[name] as unknown as AnyKernel;
type AnyArgs<B> = Readonly<Record<string, B | number | null>>;
const argsOf = <B>(call: PlainCall<B>): AnyArgs<B> => call.args;
const numbersOf = (args: AnyArgs<unknown>): Record<string, number> => args as Record<string, number>;

/** A buffer of a call. */
export interface BufferUse<B> {
  readonly name: string;
  readonly buffer: B;
  readonly type: ElementType;
  readonly writes: boolean;
  /** Elements that the call may touch, from the buffer's first. */
  readonly elements: number;
  /** Elements that it moves. */
  readonly moved: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);

/** A read over a domain with strides: to the last element it touches, and each counted once however often it is broadcast. */
function walked<B>(
  name: string,
  { buffer, strides }: { readonly buffer: B; readonly strides: readonly number[] },
  dims: readonly number[],
): BufferUse<B> {
  const elements = dims.reduce((last, size, axis) => last + (size - 1) * strides[axis], 1);
  return { name, buffer, type: "f32", writes: false, elements, moved: product(dims.filter((_, axis) => strides[axis] !== 0)) };
}
const written = <B>(name: string, buffer: B, elements: number): BufferUse<B> => ({
  name,
  buffer,
  type: "f32",
  writes: true,
  elements,
  moved: elements,
});

/** The buffers of a call, in the order of its arguments. */
export function callBuffers<B>(call: KernelCall<B>): BufferUse<B>[] {
  if (call.kernel === "fused") {
    return [
      ...call.reads.map((read, i) => walked(`read ${i}`, read, call.dims)),
      ...call.writes.map((buffer, i) => written(`write ${i}`, buffer, product(call.dims))),
    ];
  }
  if (call.kernel === "reduce") {
    const [outer, rows, inner] = call.dims;
    return [
      ...call.reads.map((read, i) => walked(`read ${i}`, read, call.dims)),
      written("write", call.write, outer * Math.ceil(rows / call.chunk) * inner),
    ];
  }
  const args = argsOf(call);
  return Object.entries(kernelOf(call.kernel).buffers).flatMap(([name, { type, access, extent, moved = extent }]) => {
    const buffer = args[name];
    if (buffer === null) return [];
    const numbers = numbersOf(args);
    return [{ name, buffer: buffer as B, type, writes: access === "write", elements: extent(numbers), moved: moved(numbers) }];
  });
}

/** The same call with every buffer replaced. */
export function mapBuffers<A, B>(call: KernelCall<A>, replace: (buffer: A, elements: number) => B): KernelCall<B> {
  const uses = callBuffers(call);
  let at = 0;
  const next = () => {
    const { buffer, elements } = uses[at++];
    return replace(buffer, elements);
  };
  if (call.kernel === "fused") {
    return { ...call, reads: call.reads.map(({ strides }) => ({ buffer: next(), strides })), writes: call.writes.map(next) };
  }
  if (call.kernel === "reduce") {
    return { ...call, reads: call.reads.map(({ strides }) => ({ buffer: next(), strides })), write: next() };
  }
  const args = Object.fromEntries(uses.map(({ name }) => [name, next()]));
  return { kernel: call.kernel, args: { ...argsOf(call), ...args } } as PlainCall<B>;
}

/** What a kernel call costs, counted from its arguments. */
export interface CallCost extends Required<Work> {
  /** Bytes read and written. */
  readonly bytes: number;
}

/** Counts a call. */
export function callCost<B>(call: KernelCall<B>): CallCost {
  const bytes = callBuffers(call).reduce((sum, { moved, type }) => sum + moved * elementBytes[type], 0);
  return { multiplyAdds: 0, elementOps: 0, ...workOf(call), bytes };
}

function workOf<B>(call: KernelCall<B>): Work {
  if (call.kernel === "fused") return { elementOps: product(call.dims) * call.code.length };
  if (call.kernel === "reduce") return { elementOps: product(call.dims) * (call.code.length + 1) };
  return kernelOf(call.kernel).work?.(numbersOf(argsOf(call))) ?? {};
}

/** Runs one call in float64. */
export function runReference(call: KernelCall<Float64Array>): void {
  if (call.kernel === "fused") fused(call);
  else if (call.kernel === "reduce") reduce(call);
  else kernelOf(call.kernel).reference(argsOf(call));
}
