import { Buffer, type View } from "../autograd/buffer.js";
import { isConstant, isInput, isParameter, type Tensor } from "../autograd/tensor.js";
import type { DType } from "../base/elements.js";
import { type Constants, layOutConstants } from "./constants.js";

/** Which memory every tensor of a program is. */
export class Views {
  /** Buffers that the arena must hold. */
  readonly arena = new Set<Buffer>();
  readonly inputs = new Map<Tensor, Buffer>();
  readonly constants: Constants;
  readonly counter = new Buffer("run counter", "i32", 1, "counter");
  private readonly views = new Map<Tensor, View>();

  /** `parameters` are where they lie on the device. */
  constructor(leaves: readonly Tensor[], parameters: ReadonlyMap<Tensor, View>, alignment: number) {
    for (const tensor of leaves.filter(isInput)) {
      const buffer = new Buffer("input", tensor.dtype, tensor.size, "input");
      this.inputs.set(tensor, buffer);
      this.views.set(tensor, { buffer, offset: 0 });
    }
    for (const [tensor, view] of parameters) this.views.set(tensor, view);
    this.constants = layOutConstants(leaves.filter(isConstant), alignment);
    for (const [tensor, view] of this.constants.views) this.views.set(tensor, view);
  }

  /** The memory of a tensor; one that has none yet gets a buffer of its own, an alias a place in its operand's. */
  of(tensor: Tensor): View {
    const known = this.views.get(tensor);
    if (known) return known;
    const { node } = tensor;
    const { lowering } = node.op;
    let view: View;
    if (lowering.kind === "alias") {
      const base = this.of(node.inputs[0]);
      view = { buffer: base.buffer, offset: base.offset + (lowering.offset?.(node.attributes, tensor.index) ?? 0) };
    } else {
      view = this.fresh(node.op.name, tensor.size, tensor.dtype);
    }
    this.views.set(tensor, view);
    return view;
  }

  /** All tensors that have memory, and which. */
  all(): Iterable<readonly [Tensor, View]> {
    return this.views;
  }

  has(tensor: Tensor): boolean {
    return this.views.has(tensor);
  }

  /** Lays a tensor that has no memory yet into a buffer. */
  put(tensor: Tensor, view: View): void {
    this.views.set(tensor, view);
  }

  /** A new buffer of the arena. */
  fresh(name: string, elements: number, type: DType = "f32"): View {
    const buffer = new Buffer(name, type, elements, "arena");
    this.arena.add(buffer);
    return { buffer, offset: 0 };
  }
}

/** Every parameter in a buffer of its own: where no device has them yet. */
export const apartFromEachOther = (leaves: readonly Tensor[]): Map<Tensor, View> =>
  new Map(
    leaves.filter(isParameter).map((x) => [x, { buffer: new Buffer("parameter", x.dtype, x.size, "parameters"), offset: 0 }]),
  );
