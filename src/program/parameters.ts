/** Where parameters live: each device keeps one copy of each, made when a program first needs it. */

import {
  checkTensor,
  checkTensorList,
  editionOf,
  hostData,
  isParameter,
  startsAtZero,
  type Tensor,
} from "../autograd/tensor.js";
import { checkDevice, type Device, type Storage } from "../backend/device.js";
import { type HostArray, type NestedNumbers, numbersFor } from "../backend/host.js";
import { DeviceError, ShapeError } from "../base/errors.js";
import { show } from "../base/options.js";
import { showShape } from "../base/shape.js";

/** A parameter's copy on a device. */
export interface Home {
  readonly storage: Storage;
  /** Whether its numbers may be others than those the parameter starts from. */
  changed: boolean;
}

interface Residence {
  readonly homes: Map<Tensor, Home>;
  /** Parameters whose changed numbers were let go of, and the edition of those they start from at that time. */
  readonly lost: WeakMap<Tensor, number>;
}

const residences = new WeakMap<Device, Residence>();

function residenceOn(device: Device): Residence {
  const known = residences.get(device) ?? { homes: new Map(), lost: new WeakMap() };
  residences.set(device, known);
  return known;
}

/** The parameter's copy on a device; starts with the parameter's initial numbers.
 *  @throws DeviceError when its trained numbers were there and were let go of: they are not silently the first ones again */
export function parameterHome(device: Device, parameter: Tensor): Home {
  const { homes, lost } = residenceOn(device);
  const known = homes.get(parameter);
  if (known) return known;
  if (lost.get(parameter) === editionOf(parameter)) {
    throw new DeviceError(
      `parameter ${showShape(parameter.shape)}: its numbers had changed on the device and were let go of, by releaseParameters or a ` +
        "dispose. Read them before that, and set them again with writeParameter or load.",
    );
  }
  return settle(device, parameter, startsAtZero(parameter) ? undefined : () => hostData(parameter));
}

/** Takes memory for a parameter and writes its first numbers, if they are not zeros. */
function settle(device: Device, parameter: Tensor, numbers?: () => HostArray): Home {
  const { homes, lost } = residenceOn(device);
  const storage = device.allocate(parameter.size, `parameter ${showShape(parameter.shape)}`);
  try {
    if (numbers) device.write({ storage, offset: 0 }, numbers(), "f32");
  } catch (error) {
    device.release(storage);
    throw error;
  }
  const home = { storage, changed: false };
  homes.set(parameter, home);
  lost.delete(parameter);
  return home;
}

/** Whether a device has a copy of the parameter. */
export const isResident = (device: Device, parameter: Tensor): boolean => residenceOn(device).homes.has(parameter);

/** The parameter's memory on a device. */
export const parameterStorage = (device: Device, parameter: Tensor): Storage => parameterHome(device, parameter).storage;

/** The parameter's current numbers.
 *  @shape parameter [...] -> as many numbers, row-major
 *  @throws ShapeError when it is not a parameter
 *  @throws DeviceError when the device is closed, or the parameter's changed numbers were let go of */
export async function readParameter(device: Device, parameter: Tensor): Promise<HostArray> {
  checkPlace("readParameter", device, parameter);
  return device.read({ storage: parameterStorage(device, parameter), offset: 0 }, parameter.size, "f32");
}

/** Sets a parameter on a device.
 *  @shape data [...] as the parameter, or as many numbers in a row
 *  @throws ShapeError when the count of numbers differs, or it is not a parameter
 *  @throws DeviceError when the device is closed */
export function writeParameter(device: Device, parameter: Tensor, data: NestedNumbers): void {
  checkPlace("writeParameter", device, parameter);
  place(device, parameter, numbersFor("writeParameter", data, parameter.shape)).changed = true;
}

/** Sets a parameter on a device to what it starts from. */
export function resetParameter(device: Device, parameter: Tensor): void {
  place(device, parameter, hostData(parameter)).changed = false;
}

function place(device: Device, parameter: Tensor, numbers: HostArray): Home {
  const home = residenceOn(device).homes.get(parameter);
  if (!home) return settle(device, parameter, () => numbers);
  device.write({ storage: home.storage, offset: 0 }, numbers, "f32");
  return home;
}

/** Lets go of parameters that no program will use again; of those that are not on the device there is nothing to let go.
 *  @throws ShapeError when one is no tensor */
export function releaseParameters(device: Device, parameters: Iterable<Tensor>): void {
  checkDevice("releaseParameters", device);
  const list = listOf("releaseParameters", parameters);
  const { homes, lost } = residenceOn(device);
  for (const parameter of list) {
    const home = homes.get(parameter);
    if (!home) continue;
    device.release(home.storage);
    homes.delete(parameter);
    if (home.changed) lost.set(parameter, editionOf(parameter));
  }
}

function listOf(where: string, parameters: unknown): readonly Tensor[] {
  if (typeof parameters !== "object" || parameters === null || !(Symbol.iterator in parameters))
    throw new ShapeError(`${where}: expected parameters in an array or the like, got ${show(parameters)}.`);
  const list: unknown = [...(parameters as Iterable<unknown>)];
  checkTensorList(where, list);
  return list;
}

function checkPlace(where: string, device: Device, parameter: Tensor): void {
  checkDevice(where, device);
  checkTensor(where, "parameter", parameter);
  if (!isParameter(parameter)) throw new ShapeError(`${where}: expected a parameter, got ${parameter}.`);
}
