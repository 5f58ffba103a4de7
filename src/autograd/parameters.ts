/** Where parameters live: each device keeps one copy of each, made when a program first needs it. */
import type { Device, Storage } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import { ShapeError } from "../base/errors.js";
import { showShape } from "../base/shape.js";
import { hostData, startsAtZero, type Tensor } from "./tensor.js";

const resident = new WeakMap<Device, Map<Tensor, Storage>>();

/** The parameter's memory on a device; starts with the parameter's initial numbers. */
export function parameterStorage(device: Device, parameter: Tensor): Storage {
  const known = resident.get(device) ?? new Map<Tensor, Storage>();
  resident.set(device, known);
  const own = known.get(parameter);
  if (own) return own;
  const storage = device.allocate(parameter.size, `parameter ${showShape(parameter.shape)}`);
  if (!startsAtZero(parameter)) device.write({ storage, offset: 0 }, hostData(parameter), "f32");
  known.set(parameter, storage);
  return storage;
}

/** The parameter's current numbers.
 *  @shape parameter [...] -> as many numbers, row-major */
export async function readParameter(device: Device, parameter: Tensor): Promise<HostArray> {
  return device.read({ storage: parameterStorage(device, parameter), offset: 0 }, parameter.size, "f32");
}

/** Sets a parameter on a device.
 *  @throws ShapeError when the count of numbers differs */
export function writeParameter(device: Device, parameter: Tensor, data: ArrayLike<number>): void {
  if (data.length !== parameter.size) {
    throw new ShapeError(`writeParameter: ${showShape(parameter.shape)} holds ${parameter.size} numbers, got ${data.length}.`);
  }
  device.write({ storage: parameterStorage(device, parameter), offset: 0 }, data, "f32");
}

/** Lets go of parameters that no program will use again. */
export function releaseParameters(device: Device, parameters: Iterable<Tensor>): void {
  const known = resident.get(device);
  for (const parameter of parameters) {
    const storage = known?.get(parameter);
    if (storage) device.release(storage);
    known?.delete(parameter);
  }
}
