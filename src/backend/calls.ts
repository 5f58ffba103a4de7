import { type KernelCall, kernels, type PlainCall } from "./kernels.js";

/** A buffer of a call and whether the call writes it. */
export interface BufferUse<B> {
  readonly name: string;
  readonly buffer: B;
  readonly writes: boolean;
}

/** The buffers of a call, in the order of its arguments. */
export function callBuffers<B>(call: KernelCall<B>): BufferUse<B>[] {
  if (call.kernel === "fused") {
    return [
      ...call.reads.map(({ buffer }, i) => ({ name: `read ${i}`, buffer, writes: false })),
      ...call.writes.map((buffer, i) => ({ name: `write ${i}`, buffer, writes: true })),
    ];
  }
  if (call.kernel === "reduce") {
    return [
      ...call.reads.map(({ buffer }, i) => ({ name: `read ${i}`, buffer, writes: false })),
      { name: "write", buffer: call.write, writes: true },
    ];
  }
  const args = call.args as Readonly<Record<string, unknown>>;
  return Object.entries(kernels[call.kernel]).flatMap(([name, role]) => {
    if (role === "int" || role === "float" || args[name] === null) return [];
    return [{ name, buffer: args[name] as B, writes: role === "write" || role === "write?" }];
  });
}

/** The same call with every buffer replaced. */
export function mapBuffers<A, B>(call: KernelCall<A>, replace: (buffer: A) => B): KernelCall<B> {
  if (call.kernel === "fused") {
    return {
      ...call,
      reads: call.reads.map(({ buffer, strides }) => ({ buffer: replace(buffer), strides })),
      writes: call.writes.map(replace),
    };
  }
  if (call.kernel === "reduce") {
    return {
      ...call,
      reads: call.reads.map(({ buffer, strides }) => ({ buffer: replace(buffer), strides })),
      write: replace(call.write),
    };
  }
  const args = Object.entries(kernels[call.kernel]).map(([name, role]) => {
    const value = (call.args as Readonly<Record<string, unknown>>)[name];
    return [name, role === "int" || role === "float" || value === null ? value : replace(value as A)];
  });
  return { kernel: call.kernel, args: Object.fromEntries(args) } as PlainCall<B>;
}
