import { ConfigError, ShapeError } from "../base/errors.js";
import { callable, checkOptions, needed, type Rules, show } from "../base/options.js";
import { type Shape, sameShape, showShape } from "../base/shape.js";
import { defineOp } from "./op.js";
import { checkTensor, isInput, isParameter, scope, type Tensor } from "./tensor.js";

/** What the gradient of an op of one's own sees. */
export interface CustomContext<A extends readonly Tensor[]> {
  /** The arguments. */
  readonly inputs: A;
  /** What the op gave. */
  readonly output: Tensor;
  /** What `forward` returned beside it. */
  readonly kept: readonly Tensor[];
  /** Gradient of the loss with respect to the output, of its shape. */
  readonly dy: Tensor;
}

/** A place where an op's gradient is held against differences. */
export interface GradientExample {
  /** Shapes of the arguments. */
  readonly shapes: readonly Shape[];
  /** Their numbers, where normal ones are not in the op's domain. */
  readonly at?: readonly (ArrayLike<number> | undefined)[];
}

/** An op made of other ops, with a gradient of its own. */
export interface CustomGradient<A extends readonly Tensor[]> {
  readonly name: string;
  /** What it computes: the result, or a list of it and of what the gradient needs besides. All that is to be differentiated must come
   *  as an argument. */
  readonly forward: (...inputs: A) => Tensor | readonly [Tensor, ...Tensor[]];
  /** Gradient of the loss with respect to each argument, made of ops; undefined where it is zero by definition. Derivatives of it
   *  are those of its ops. */
  readonly gradient: (context: CustomContext<A>) => readonly (Tensor | undefined)[];
  /** Where the gradient is to be checked: they put the op on the list of `customOps`. None for a gradient that is not the derivative
   *  on purpose, as that of a straight-through estimator. */
  readonly examples?: readonly GradientExample[];
}

/** An op whose gradient says where it wants to be checked. */
export interface CustomOp {
  readonly name: string;
  readonly op: (...inputs: Tensor[]) => Tensor;
  readonly examples: readonly GradientExample[];
}

const registered = new Map<string, CustomOp>();

/** The ops of `customGradient` that have examples, for tests: `gradcheck(op, shapes, { at })` for each example of each. Of two with
 *  the same name the later counts. */
export const customOps = (): readonly CustomOp[] => [...registered.values()];

const rules: Rules<CustomGradient<readonly Tensor[]>> = {
  name: needed({ text: "a name", holds: (value) => typeof value === "string" && value !== "" }),
  forward: needed(callable),
  gradient: needed(callable),
  examples: { text: "a list of { shapes, at }", holds: (value) => Array.isArray(value) && value.length > 0 },
};

/**
 * Defines an op with a gradient of its own: a derivative that is stable where the chain rule is not, a cheaper one, or another on
 * purpose. It costs nothing beside `forward`, and what only the gradient needs is computed only where there is one.
 * @throws ConfigError when an option is unknown or missing, or `forward` reads an input or a parameter that is not among its arguments
 * @throws ShapeError when a result is no tensor, or a gradient has not its argument's shape
 */
export function customGradient<A extends readonly Tensor[]>(definition: CustomGradient<A>): (...inputs: A) => Tensor {
  checkOptions("customGradient", definition, rules as Rules<CustomGradient<A>>);
  const { name, forward, gradient, examples } = definition;
  const op = defineOp()({
    name,
    operands: { value: "needed", kept: "list", inputs: "list" },
    results: { output: "always" },
    takesI32: true,
    infer: ({ value }) => ({ output: value }),
    gradient: ({ inputs, output, kept }, { output: dy }) => ({
      // They are what the op was called with, or its recomputed twins.
      inputs: checked(name, inputs, () => gradient({ inputs: inputs as A, output, kept, dy })),
    }),
    // The result's own memory; the other operands are there for the gradient alone.
    lowering: { kind: "alias" },
  });
  const apply = (...inputs: A): Tensor => {
    inputs.forEach((x, i) => {
      checkTensor(name, `argument ${i}`, x);
    });
    const returned: unknown = scope(name, () => forward(...inputs));
    const results: readonly unknown[] = Array.isArray(returned) ? returned : [returned];
    if (results.length === 0) throw new ShapeError(`${name}: forward returned an empty list. Return the result first.`);
    const tensors = results.map((x, i) => {
      checkTensor(name, i === 0 ? "what forward returns" : `what forward keeps (${i})`, x);
      return x;
    });
    checkClosed(name, tensors, inputs);
    const [value, ...kept] = tensors;
    return op({ value, kept, inputs }).output;
  };
  if (examples) registered.set(name, { name, op: apply as unknown as CustomOp["op"], examples });
  return apply;
}

/** What a gradient returns, held against the arguments. */
function checked(name: string, own: readonly Tensor[], gradient: () => unknown): readonly (Tensor | undefined)[] {
  const dInputs = scope(name, gradient);
  if (!Array.isArray(dInputs) || dInputs.length !== own.length) {
    const got = Array.isArray(dInputs) ? dInputs.length : show(dInputs);
    throw new ShapeError(
      `${name}: gradient must return a list with one entry for each of ${own.length} arguments, got ${got}.`,
    );
  }
  return own.map((x, i) => {
    const dx: unknown = dInputs[i];
    if (dx === undefined) return undefined;
    checkTensor(name, `the gradient of argument ${i}`, dx);
    if (x.dtype !== "f32" || !sameShape(dx.shape, x.shape)) {
      const want =
        x.dtype === "f32" ? `of its shape ${showShape(x.shape)}; sumTo undoes a broadcast` : "undefined, for it is i32";
      throw new ShapeError(`${name}: the gradient of argument ${i} must be ${want}; got ${showShape(dx.shape)}.`);
    }
    return dx;
  });
}

/** Refuses a result that depends on an input or a parameter by another way than through the arguments: it would get no gradient. */
function checkClosed(name: string, results: readonly Tensor[], arguments_: readonly Tensor[]): void {
  const seen = new Set<Tensor>(arguments_);
  const open = results.filter((x) => !seen.has(x));
  for (let x = open.pop(); x; x = open.pop()) {
    if (seen.has(x)) continue;
    seen.add(x);
    if ((isInput(x) || isParameter(x)) && x.dtype === "f32") {
      throw new ConfigError(
        `${name}: forward reads ${x}, which is not among its arguments and would get no gradient. Pass it as an argument.`,
      );
    }
    open.push(...x.node.inputs);
  }
}
