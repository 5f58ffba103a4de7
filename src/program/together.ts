import { type Buffer, follows, type Range } from "../autograd/buffer.js";
import type { Node, Tensor } from "../autograd/tensor.js";
import { originOf, sourceOf } from "./sources.js";
import type { Views } from "./views.js";

/** Operands of a node that had better lie side by side. */
export function wishes({ op, operands, inputs, attributes }: Node): readonly (readonly Tensor[])[] {
  const { lowering } = op;
  if (lowering.kind !== "calls") return [];
  const joined = lowering.joins?.(operands, attributes) ? [inputs.map(wholeOf)] : [];
  return [...joined, ...(lowering.together?.(operands, attributes) ?? [])];
}

/** What a tensor is all of, in another shape. */
function wholeOf(x: Tensor): Tensor {
  const { source, offset } = originOf(x);
  return offset === 0 && source.size === x.size ? source : x;
}

/**
 * Lays values that an op would rather have side by side into one buffer, before anything is computed: what has its memory already
 * stays where it is. Who reads last has the first word, so that what is joined twice lies in the larger whole.
 */
export function layTogether(nodes: readonly Node[], roots: ReadonlySet<Tensor>, views: Views): void {
  // What is seen after a run is a copy of its own, also where only a part of it is seen: its operands may have changed by then.
  const seen = new Set([...roots].map(sourceOf));
  for (const node of [...nodes].reverse()) {
    const { op, operands, inputs, attributes, outputs } = node;
    if (op.lowering.kind !== "calls") continue;
    if (op.lowering.joins?.(operands, attributes)) join(inputs, outputs[0], seen.has(outputs[0]), views);
    for (const list of op.lowering.together?.(operands, attributes) ?? []) {
      const pieces = piecesOf(list, views).filter(({ isFree }) => isFree);
      if (pieces.length < 2) continue;
      const { buffer } = views.fresh(
        "side by side",
        pieces.reduce((sum, { size }) => sum + size, 0),
      );
      let offset = 0;
      for (const { source, size } of pieces) {
        place(source, buffer, offset, views);
        offset += size;
      }
    }
  }
}

/** Computes operands in their places in what joins them; what lies side by side already is read there. */
function join(inputs: readonly Tensor[], output: Tensor, isSeen: boolean, views: Views): void {
  if (!isSeen && !views.has(output) && inputs.every((x) => views.has(sourceOf(x))) && adjacent(inputs, views)) {
    views.put(output, views.of(inputs[0]));
    return;
  }
  const whole = views.of(output);
  if (whole.buffer.home !== "arena") return;
  let at = whole.offset;
  for (const { source, size, isFree } of piecesOf(inputs, views)) {
    if (isFree) place(source, whole.buffer, at, views);
    at += size;
  }
}

/** Whether tensors lie one behind the other. */
function adjacent(tensors: readonly Tensor[], views: Views): boolean {
  let before: Range | undefined;
  return tensors.every((x) => {
    const own = { ...views.of(x), elements: x.size };
    const fits = before === undefined || follows(own, before);
    before = own;
    return fits;
  });
}

function place(source: Tensor, buffer: Buffer, offset: number, views: Views): void {
  views.put(source, { buffer, offset });
  buffer.cuts.add(offset);
  buffer.cuts.add(offset + source.size);
}

/** A list as the results that its tensors are, or are parts of in a row. */
interface Piece {
  readonly source: Tensor;
  /** Elements of the list that it is. */
  readonly size: number;
  /** Whether it is a whole result that has no memory yet. */
  readonly isFree: boolean;
}

function piecesOf(list: readonly Tensor[], views: Views): Piece[] {
  const pieces: Piece[] = [];
  const taken = new Set<Tensor>();
  for (let i = 0; i < list.length; ) {
    const { source, offset } = originOf(list[i]);
    let size = 0;
    for (; i < list.length; i++) {
      const next = originOf(list[i]);
      if (next.source !== source || next.offset !== offset + size) break;
      size += list[i].size;
    }
    const isWhole = offset === 0 && size === source.size;
    const isFree = isWhole && source.dtype === "f32" && !views.has(source) && !taken.has(source);
    pieces.push({ source, size, isFree });
    taken.add(source);
  }
  return pieces;
}
