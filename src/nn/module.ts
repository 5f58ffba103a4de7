import { isParameter, scope, setInitial, Tensor } from "../autograd/tensor.js";
import { checkDevice, type Device } from "../backend/device.js";
import { type HostArray, numbersFor } from "../backend/host.js";
import { copyOf, isForeign, thisCopy } from "../base/copy.js";
import { ConfigError, FormatError } from "../base/errors.js";
import { callable, checkValue, show } from "../base/options.js";
import { type Shape, sameShape, showShape } from "../base/shape.js";
import { readParameter, resetParameter } from "../program/parameters.js";
import { checkNamed } from "./checks.js";
import type { Seed } from "./init.js";

/** Numbers of one parameter on the host. */
export interface StateEntry {
  readonly shape: Shape;
  readonly data: HostArray;
}

/** Parameters by name. */
export type State = ReadonlyMap<string, StateEntry>;

/**
 * A part of a model. Its parameters are its fields: tensors, modules, and arrays of modules, named by the path of field
 * names, e.g. `blocks.3.giim.proxyAttention.query.weight`.
 */
export abstract class Module {
  readonly #name: string;

  /** `seed` says where in its model the module is made; its name is the last part of that. */
  constructor(seed?: Seed) {
    this.#name = seed?.name ?? "";
  }

  get [copyOf](): object {
    return thisCopy;
  }

  /** All parameters by name, in the order of declaration; with `which` those for whose name it is true, to train some and leave the
   *  others as they are, say.
   *  @throws ConfigError when a part was made by another copy of the library: it would be left out of training */
  parameters(which: (name: string) => boolean = () => true): Map<string, Tensor> {
    checkValue("parameters", "which", which, callable);
    const result = new Map<string, Tensor>();
    const visit = (value: unknown, path: string): void => {
      if (value instanceof Tensor) {
        if (isParameter(value) && which(path)) result.set(path, value);
      } else if (value instanceof Module) {
        for (const [name, field] of Object.entries(value)) visit(field, path ? `${path}.${name}` : name);
      } else if (Array.isArray(value)) {
        for (const [index, element] of value.entries()) visit(element, `${path}.${index}`);
      } else if (isForeign(value)) {
        throw new ConfigError(`parameters: ${path} is ${show(value)}.`);
      }
    };
    visit(this, "");
    return result;
  }

  /** Number of numbers in all parameters. */
  get parameterCount(): number {
    return [...this.parameters().values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Runs `body` under the module's name in the scopes of errors, notes and profiles. */
  protected scoped<T>(body: () => T): T {
    return this.#name ? scope(this.#name, body) : body();
  }

  /** Reads every parameter from a device. */
  async state(device: Device): Promise<Map<string, StateEntry>> {
    return readState(device, this.parameters());
  }

  /** Sets every parameter: what it starts from, and on `device` if given.
   *  @throws FormatError when a name is missing, unknown, or has another shape; nothing is changed then */
  load(state: State, device?: Device): void {
    loadState(this.parameters(), state, device);
  }
}

/** Reads named parameters from a device, all of them before anything else can change one. */
export async function readState(device: Device, parameters: ReadonlyMap<string, Tensor>): Promise<Map<string, StateEntry>> {
  checkDevice("state", device);
  checkNamed("state", parameters);
  const entries = [...parameters].map(async ([name, own]) => {
    return [name, { shape: own.shape, data: await readParameter(device, own) }] as const;
  });
  return new Map(await Promise.all(entries));
}

/** Sets named parameters; see `Module.load`. */
export function loadState(parameters: ReadonlyMap<string, Tensor>, state: State, device?: Device): void {
  checkNamed("load", parameters);
  checkValue("load", "the state", state, { text: "a Map of { shape, data } by name", holds: (value) => value instanceof Map });
  if (device !== undefined) checkDevice("load", device);
  const numbers = new Map<Tensor, HostArray>();
  for (const [name, own] of parameters) {
    const entry = state.get(name);
    if (!entry)
      throw new FormatError(
        `load: parameter "${name}" ${showShape(own.shape)} is missing from the state (${state.size} entries).`,
      );
    const { shape, data } = entry;
    if (!Array.isArray(shape) || !sameShape(shape, own.shape)) {
      throw new FormatError(
        `load: "${name}" is ${Array.isArray(shape) ? showShape(shape) : show(shape)} in the state, the model expects ${showShape(own.shape)}. Build the model with the settings it was trained with.`,
      );
    }
    numbers.set(own, numbersFor(`load: "${name}"`, data, own.shape));
  }
  const extra = [...state.keys()].filter((name) => !parameters.has(name));
  if (extra.length > 0)
    throw new FormatError(`load: the state has ${extra.length} entries the model lacks, the first is "${extra[0]}".`);
  for (const [own, data] of numbers) {
    setInitial(own, data);
    if (device) resetParameter(device, own);
  }
}
