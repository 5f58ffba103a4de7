import type { Tensor } from "../autograd/tensor.js";
import type { Device, Slot } from "../backend/device.js";
import { type HostArray, isHostArray, type NestedNumbers, numbersFor } from "../backend/host.js";
import { ConfigError, ShapeError } from "../base/errors.js";
import { checkNames, show } from "../base/options.js";
import { showShape } from "../base/shape.js";

/** Numbers for a run by the names of its inputs: as many as each holds in a row, or rows within rows of its shape. */
export type RunInputs<I extends string> = Readonly<Record<I, number | NestedNumbers>>;

/** An input or output by name, and where it lies; an input that nothing reads lies nowhere. */
export interface Binding<N extends string> {
  readonly name: N;
  readonly tensor: Tensor;
  readonly size: number;
  readonly slot?: Slot;
}

/** The inputs of a program: what it is given is held against them, in a way that leaves nothing to the garbage collector. */
export class Feed<I extends string> {
  private readonly scalar = new Float64Array(1);

  constructor(private readonly inputs: readonly Binding<I>[]) {}

  /** Writes the numbers of a run.
   *  @throws ShapeError when numbers are missing, too many or too few, or not numbers
   *  @throws ConfigError when a name is not an input's */
  write(device: Device, given: RunInputs<I>): void {
    this.checkNames(given);
    for (let i = 0; i < this.inputs.length; i++) {
      const input = this.inputs[i];
      const data = this.numbers(input, given[input.name]);
      if (input.slot) device.write(input.slot, data, input.tensor.dtype);
    }
  }

  /** The numbers of a run as they are now: whoever waits for a turn may change theirs meanwhile. */
  copy(given: RunInputs<I>): RunInputs<I> {
    this.checkNames(given);
    const own = this.inputs.map((input) => [input.name, Float64Array.from(this.numbers(input, given[input.name]))]);
    return Object.fromEntries(own) as RunInputs<I>;
  }

  /** Names are compared only where there are too many: programs run often. */
  private checkNames(given: RunInputs<I> | undefined): void {
    if (given === undefined && this.inputs.length === 0) return;
    if (typeof given !== "object" || given === null)
      throw new ConfigError(`run: expected numbers by the names of the inputs, got ${show(given)}.`);
    let count = 0;
    for (const _ in given) count++;
    if (count <= this.inputs.length) return;
    const known = this.inputs.map(({ name }) => name);
    checkNames("run", "input", Object.keys(given), known);
  }

  private numbers({ name, tensor, size }: Binding<I>, given: unknown): HostArray {
    if (given === undefined) throw new ShapeError(`run: input "${name}" ${showShape(tensor.shape)} is missing.`);
    let data: HostArray = this.scalar;
    if (typeof given === "number") this.scalar[0] = given;
    // Typed arrays, which programs that run often are given, need no second look.
    else data = isHostArray(given) ? given : numbersFor(`run: input "${name}"`, given, tensor.shape);
    if (data.length !== size) {
      throw new ShapeError(`run: input "${name}" ${showShape(tensor.shape)} needs ${size} numbers, got ${data.length}.`);
    }
    if (tensor.dtype === "i32" && !(data instanceof Int32Array)) checkWhole(name, data);
    return data;
  }
}

function checkWhole(name: string, data: HostArray): void {
  const at = data.findIndex((value: number) => (value | 0) !== value);
  if (at >= 0)
    throw new ShapeError(`run: input "${name}" is i32: element ${at} must be a whole number of 32 bits, got ${data[at]}.`);
}
