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
import { checkDevice, type Device, type Slot, type Storage } from "../backend/device.js";
import { type HostArray, type NestedNumbers, numbersFor } from "../backend/host.js";
import { DeviceError, ShapeError } from "../base/errors.js";
import { show } from "../base/options.js";
import { showShape } from "../base/shape.js";

/** Parameters of a device that lie side by side in one storage. */
export interface Pack {
  readonly storage: Storage;
  /** How many of them are still held. */
  held: number;
  /** The first that was let go of: programs that use the pack run no more. */
  lost: Tensor | undefined;
}

/** A parameter's copy on a device. */
export interface Place {
  readonly pack: Pack;
  readonly offset: number;
  /** Whether its numbers may be others than those the parameter starts from. */
  changed: boolean;
}

interface Residence {
  readonly places: Map<Tensor, Place>;
  /** Parameters whose changed numbers were let go of, and the edition of those they start from at that time. */
  readonly lost: WeakMap<Tensor, number>;
}

const residences = new WeakMap<Device, Residence>();

function residenceOn(device: Device): Residence {
  const known = residences.get(device) ?? { places: new Map(), lost: new WeakMap() };
  residences.set(device, known);
  return known;
}

/** The parameter's copy on a device, if it has one. */
export const placeOn = (device: Device, parameter: Tensor): Place | undefined => residenceOn(device).places.get(parameter);

/** Takes memory for parameters side by side, and writes the numbers given, or those they start from, if these are not zeros.
 *  @throws DeviceError when trained numbers of one were there and were let go of: they are not silently the first ones again */
export function settle(device: Device, parameters: readonly Tensor[], numbers?: HostArray): Place[] {
  const { places, lost } = residenceOn(device);
  for (const own of parameters) {
    if (numbers || lost.get(own) !== editionOf(own)) continue;
    throw new DeviceError(
      `parameter ${showShape(own.shape)}: its numbers had changed on the device and were let go of, by releaseParameters or a ` +
        "dispose. Read them before that, and set them again with writeParameter or load.",
    );
  }
  const [first] = parameters;
  const what = parameters.length === 1 ? `parameter ${showShape(first.shape)}` : `${parameters.length} parameters`;
  const elements = parameters.reduce((sum, { size }) => sum + size, 0);
  const pack: Pack = { storage: device.allocate(elements, what), held: parameters.length, lost: undefined };
  try {
    let offset = 0;
    const own = parameters.map((parameter) => {
      if (!device.plansOnly && (numbers || !startsAtZero(parameter)))
        device.write({ storage: pack.storage, offset }, numbers ?? hostData(parameter), "f32");
      const place = { pack, offset, changed: false };
      offset += parameter.size;
      return place;
    });
    parameters.forEach((parameter, i) => {
      places.set(parameter, own[i]);
      lost.delete(parameter);
    });
    return own;
  } catch (error) {
    device.release(pack.storage);
    throw error;
  }
}

/** The parameter's copy on a device; starts with the parameter's initial numbers. @throws as `settle` */
function parameterPlace(device: Device, parameter: Tensor, numbers?: HostArray): Place {
  const known = placeOn(device, parameter);
  if (known && numbers) device.write(slotOf(known), numbers, "f32");
  return known ?? settle(device, [parameter], numbers)[0];
}

const slotOf = ({ pack, offset }: Place): Slot => ({ storage: pack.storage, offset });

/** The parameter's current numbers.
 *  @shape parameter [...] -> as many numbers, row-major
 *  @throws ShapeError when it is not a parameter
 *  @throws DeviceError when the device is closed, or the parameter's changed numbers were let go of */
export async function readParameter(device: Device, parameter: Tensor): Promise<HostArray> {
  checkPlace("readParameter", device, parameter);
  return device.read(slotOf(parameterPlace(device, parameter)), parameter.size, "f32");
}

/** Sets a parameter on a device.
 *  @shape data [...] as the parameter, or as many numbers in a row
 *  @throws ShapeError when the count of numbers differs, or it is not a parameter
 *  @throws DeviceError when the device is closed */
export function writeParameter(device: Device, parameter: Tensor, data: NestedNumbers): void {
  checkPlace("writeParameter", device, parameter);
  const numbers = numbersFor("writeParameter", data, parameter.shape);
  parameterPlace(device, parameter, numbers).changed = true;
}

/** Sets a parameter that a device has a copy of to what it starts from. */
export function resetParameter(device: Device, parameter: Tensor): void {
  const place = placeOn(device, parameter);
  if (!place) return;
  device.write(slotOf(place), hostData(parameter), "f32");
  place.changed = false;
}

/** Lets go of parameters that no program will use again; of those that are not on the device there is nothing to let go.
 *  @throws ShapeError when one is no tensor */
export function releaseParameters(device: Device, parameters: Iterable<Tensor>): void {
  checkDevice("releaseParameters", device);
  const list = listOf("releaseParameters", parameters);
  const { places, lost } = residenceOn(device);
  for (const parameter of list) {
    const place = places.get(parameter);
    if (!place) continue;
    const { pack } = place;
    pack.lost ??= parameter;
    pack.held--;
    if (pack.held === 0) device.release(pack.storage);
    places.delete(parameter);
    if (place.changed) lost.set(parameter, editionOf(parameter));
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
