import type { Buffer, View } from "../autograd/buffer.js";
import type { Tensor } from "../autograd/tensor.js";
import { callBuffers } from "../backend/calls.js";
import type { Target } from "../backend/target.js";
import type { Lowered } from "./lower.js";
import { type Part, type Plan, planArenas } from "./plan.js";

/** The parts of every buffer of the arena and when they live: from the first call that uses them to the last. What runs at once is used by
 *  all of it; where the device does parts of the next call meanwhile, that one uses it too. Outputs live to the end. */
export function lifetimes(lowered: Lowered, outputs: readonly Tensor[], target: Target): Map<Buffer, Part[]> {
  const parts = new Map<Buffer, Spans>();
  const spansOf = (buffer: Buffer): Spans => {
    const known = parts.get(buffer) ?? new Spans(buffer);
    parts.set(buffer, known);
    return known;
  };
  const same = (a: View, b: View) => a.buffer === b.buffer && a.offset === b.offset;
  lowered.calls.forEach(({ call }, index) => {
    const next = lowered.calls[index + 1]?.call;
    const { first, last: end } = lowered.intervals[index];
    const last = next && target.keepsOperands(call, next, same) ? Math.max(end, index + 1) : end;
    for (const { buffer, elements } of callBuffers(call)) {
      if (buffer.buffer.home === "arena") spansOf(buffer.buffer).use(buffer.offset, elements, first, last);
    }
  });
  for (const tensor of outputs) {
    const { buffer, offset } = lowered.viewOf(tensor);
    if (buffer.home === "arena") parts.get(buffer)?.keep(offset, tensor.size, lowered.calls.length);
  }
  return new Map([...parts].map(([buffer, spans]) => [buffer, spans.parts()]));
}

/** The parts of a buffer, cut where tensors of their own begin. */
class Spans {
  private readonly starts: readonly number[];
  private readonly lives: ({ first: number; last: number } | undefined)[];

  constructor(private readonly buffer: Buffer) {
    this.starts = [...new Set([0, ...buffer.cuts])].sort((a, b) => a - b);
    this.lives = this.starts.map(() => undefined);
  }

  use(offset: number, elements: number, first: number, last: number): void {
    for (const i of this.within(offset, elements)) {
      const life = this.lives[i];
      if (life) life.last = Math.max(life.last, last);
      else this.lives[i] = { first, last };
    }
  }

  keep(offset: number, elements: number, last: number): void {
    for (const i of this.within(offset, elements)) {
      const life = this.lives[i];
      if (life) life.last = last;
    }
  }

  parts(): Part[] {
    return this.starts.flatMap((start, i) => {
      const life = this.lives[i];
      return life ? [{ start, elements: this.end(i) - start, ...life }] : [];
    });
  }

  private end(i: number): number {
    return this.starts[i + 1] ?? this.buffer.elements;
  }

  private within(offset: number, elements: number): number[] {
    const own: number[] = [];
    this.starts.forEach((start, i) => {
      if (start < offset + elements && this.end(i) > offset) own.push(i);
    });
    return own;
  }
}

/** Places the arena's buffers by when they are used. */
export function arrange(
  lowered: Lowered,
  outputs: readonly Tensor[],
  { target, bytesPerElement }: { readonly target: Target; readonly bytesPerElement: number },
): { readonly buffers: readonly Buffer[]; readonly lives: ReadonlyMap<Buffer, readonly Part[]>; readonly plan: Plan } {
  const lives = lifetimes(lowered, outputs, target);
  const buffers = [...lives.keys()];
  const blocks = [...lives].map(([{ elements }, parts]) => ({ elements, parts }));
  const plan = planArenas(blocks, target.alignmentBytes / 4, Math.floor(target.largestStorageBytes / bytesPerElement));
  return { buffers, lives, plan };
}
