import { checkTensor, checkTensorList, isInput, isParameter, Tensor } from "../autograd/tensor.js";
import { ConfigError, ShapeError } from "../base/errors.js";
import { checkOptions, object } from "../base/options.js";
import { showShape } from "../base/shape.js";
import type { Update } from "./updates.js";

/** What a program is made of. Names of inputs and outputs are those `run` uses. */
export interface ProgramSpec<I extends string, O extends string> {
  readonly inputs?: Readonly<Record<I, Tensor>>;
  readonly outputs?: Readonly<Record<O, Tensor>>;
  /** Parameters and the values they take at the end of a run. An output that is a parameter, or a view of one, is read after them. */
  readonly updates?: readonly Update[];
}

/** Refuses a specification that cannot be compiled, whatever the graph is.
 *  @throws ConfigError when a part is unknown, or not tensors by name; a parameter is set twice, or is none; an input is none */
export function checkSpec<I extends string, O extends string>(spec: ProgramSpec<I, O>): void {
  const list = { text: "a list of [parameter, value]", holds: Array.isArray };
  const named = {
    text: "tensors by name, e.g. { x }",
    holds: (value: unknown) => object.holds(value) && !(value instanceof Tensor),
  };
  checkOptions("compile", spec, { inputs: named, outputs: named, updates: list });
  const { inputs = {}, outputs = {}, updates = [] } = spec;
  for (const [kind, tensors] of Object.entries({ input: inputs, output: outputs }))
    for (const [name, tensor] of Object.entries(tensors)) checkTensor("compile", `${kind} "${name}"`, tensor);
  checkInputs(inputs);
  checkUpdates(updates);
}

function checkInputs(inputs: Readonly<Record<string, Tensor>>): void {
  const named = new Map<Tensor, string>();
  for (const [name, tensor] of Object.entries(inputs)) {
    if (!isInput(tensor)) throw new ConfigError(`compile: "${name}" is not an input but ${tensor}. Make it with input().`);
    const other = named.get(tensor);
    if (other !== undefined)
      throw new ConfigError(`compile: inputs "${other}" and "${name}" are one tensor ${tensor}. Name it once.`);
    named.set(tensor, name);
  }
}

function checkUpdates(updates: readonly Update[]): void {
  const seen = new Set<Tensor>();
  for (const update of updates) {
    checkTensorList("compile: an update [parameter, value]", update);
    const [parameter, value] = update;
    checkTensor("compile", "an update's value", value);
    if (!isParameter(parameter)) throw new ConfigError(`compile: only parameters can be updated, got ${parameter}.`);
    if (seen.has(parameter)) throw new ConfigError(`compile: parameter ${showShape(parameter.shape)} is updated twice.`);
    seen.add(parameter);
    if (value.size !== parameter.size) {
      throw new ShapeError(
        `compile: the update ${showShape(value.shape)} does not fit its parameter ${showShape(parameter.shape)}.`,
      );
    }
  }
}

/** @throws ConfigError when the graph reads an input that has no name */
export function checkNamed(inputs: Readonly<Record<string, Tensor>>, leaves: Iterable<Tensor>): void {
  const named = new Set(Object.values(inputs));
  for (const tensor of leaves) {
    if (isInput(tensor) && !named.has(tensor)) {
      throw new ConfigError(
        `compile: the graph reads an input ${showShape(tensor.shape)} that is not named. Add it to \`inputs\`.`,
      );
    }
  }
}
