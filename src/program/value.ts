import type { HostArray } from "../backend/host.js";
import { ShapeError } from "../base/errors.js";
import { type Shape, showShape } from "../base/shape.js";

/** Numbers that came back from a run. */
export class Value {
  constructor(
    readonly shape: Shape,
    readonly data: HostArray,
  ) {}

  /** The number of a one-element value.
   *  @throws ShapeError when there are more */
  item(): number {
    if (this.data.length !== 1)
      throw new ShapeError(`item: the value ${showShape(this.shape)} holds ${this.data.length} numbers, not one.`);
    return this.data[0];
  }
}
