import { Buffer, type View } from "../autograd/buffer.js";
import { isParameter, type Tensor } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import { type Pack, placeOn, releaseParameters, settle } from "./parameters.js";

/** The parameters of a program: where they lie on the device, or will lie once memory is taken for them. */
export class Allotment {
  readonly views = new Map<Tensor, View>();
  /** Packs of the device by the buffers that stand for them. */
  readonly packs = new Map<Buffer, Pack>();
  /** Parameters that the device has not yet, in the order in which they shall lie. */
  private readonly coming = new Map<Buffer, readonly Tensor[]>();

  constructor(private readonly device: Device) {}

  /** Gives every parameter among the leaves a place. Those of a list lie side by side, as many as a storage takes; the largest list has
   *  the first word. */
  place(leaves: readonly Tensor[], together: readonly (readonly Tensor[])[]): ReadonlyMap<Tensor, View> {
    const known = new Map<Pack, Buffer>();
    const parameters = leaves.filter(isParameter);
    for (const parameter of parameters) {
      const place = placeOn(this.device, parameter);
      if (!place) continue;
      const { pack, offset } = place;
      const buffer = known.get(pack) ?? new Buffer("parameters", "f32", pack.storage.elements, "parameters");
      known.set(pack, buffer);
      this.packs.set(buffer, pack);
      this.views.set(parameter, { buffer, offset });
    }
    const size = (list: readonly Tensor[]) => list.reduce((sum, x) => sum + x.size, 0);
    for (const list of [...together].sort((a, b) => size(b) - size(a)))
      for (const part of this.storages(list.filter((x) => isParameter(x) && !this.views.has(x)))) this.reserve(part);
    for (const parameter of parameters) if (!this.views.has(parameter)) this.reserve([parameter]);
    return this.views;
  }

  /** Takes memory for the parameters that the device has not. */
  settle(): void {
    for (const [buffer, parameters] of this.coming) {
      const [{ pack }] = settle(this.device, parameters);
      this.packs.set(buffer, pack);
    }
  }

  /** Gives back what `settle` took, also where it came to a part of it only. */
  release(): void {
    releaseParameters(this.device, [...this.coming.values()].flat());
  }

  private reserve(parameters: readonly Tensor[]): void {
    const elements = parameters.reduce((sum, { size }) => sum + size, 0);
    const buffer = new Buffer("parameters", "f32", elements, "parameters");
    let offset = 0;
    for (const parameter of parameters) {
      this.views.set(parameter, { buffer, offset });
      offset += parameter.size;
    }
    this.coming.set(buffer, parameters);
  }

  /** A list cut where a storage is full. */
  private storages(list: readonly Tensor[]): Tensor[][] {
    const { target, bytesPerElement } = this.device;
    const parts: Tensor[][] = [];
    let bytes = 0;
    for (const x of new Set(list)) {
      bytes += x.size * bytesPerElement;
      if (parts.length === 0 || bytes > target.largestStorageBytes) {
        parts.push([]);
        bytes = x.size * bytesPerElement;
      }
      parts[parts.length - 1].push(x);
    }
    return parts;
  }
}
