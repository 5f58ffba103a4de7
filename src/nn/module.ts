import { readParameter, writeParameter } from "../autograd/parameters.js";
import { isParameter, scope, setInitial, Tensor } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import { FormatError } from "../base/errors.js";
import { type Shape, sameShape, showShape } from "../base/shape.js";
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

  /** All parameters by name, in the order of declaration. */
  parameters(): Map<string, Tensor> {
    const result = new Map<string, Tensor>();
    const visit = (value: unknown, path: string): void => {
      if (value instanceof Tensor) {
        if (isParameter(value)) result.set(path, value);
      } else if (value instanceof Module) {
        for (const [name, field] of Object.entries(value)) visit(field, path ? `${path}.${name}` : name);
      } else if (Array.isArray(value)) {
        for (const [index, element] of value.entries()) visit(element, `${path}.${index}`);
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

/** Reads named parameters from a device. */
export async function readState(device: Device, parameters: ReadonlyMap<string, Tensor>): Promise<Map<string, StateEntry>> {
  const result = new Map<string, StateEntry>();
  for (const [name, parameter] of parameters)
    result.set(name, { shape: parameter.shape, data: await readParameter(device, parameter) });
  return result;
}

/** Sets named parameters; see `Module.load`. */
export function loadState(parameters: ReadonlyMap<string, Tensor>, state: State, device?: Device): void {
  for (const [name, parameter] of parameters) {
    const entry = state.get(name);
    if (!entry)
      throw new FormatError(
        `load: parameter "${name}" ${showShape(parameter.shape)} is missing from the state (${state.size} entries).`,
      );
    if (!sameShape(entry.shape, parameter.shape)) {
      throw new FormatError(
        `load: "${name}" is ${showShape(entry.shape)} in the state, the model expects ${showShape(parameter.shape)}. Build the model with the settings it was trained with.`,
      );
    }
  }
  const extra = [...state.keys()].filter((name) => !parameters.has(name));
  if (extra.length > 0)
    throw new FormatError(`load: the state has ${extra.length} entries the model lacks, the first is "${extra[0]}".`);
  for (const [name, parameter] of parameters) {
    const { data } = state.get(name) as StateEntry;
    setInitial(parameter, data);
    if (device) writeParameter(device, parameter, data);
  }
}
