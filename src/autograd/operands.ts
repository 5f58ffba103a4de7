/** Operands and results of ops by their names: types of them, and walks over them. */
import { Tensor } from "./tensor.js";

/** How an operand comes: always, or perhaps not, or as a list of any length, or as a tensor or a number. */
export type OperandKind = "needed" | "optional" | "list" | "orNumber";
/** Kinds of an op's operands by name, in their order. */
export type Operands = Readonly<Record<string, OperandKind>>;
/** Kinds of an op's results by name, in their order: a result is always there, or not always, or a list of any length. */
export type Results = Readonly<Record<string, "always" | "optional" | "list">>;

interface ByKind<T> {
  readonly needed: T;
  readonly always: T;
  readonly optional: T | undefined;
  readonly list: readonly T[];
  readonly orNumber: T | number;
}

/** Operands, or results, as an op's rules see them, each represented by a T. */
export type Given<I extends Operands | Results, T> = { readonly [P in keyof I]: ByKind<T>[I[P]] };

/** Operands and results together: no name stands for both. */
export type All<I extends Operands, R extends Results, T> = {
  readonly [P in keyof I | keyof R]: P extends keyof I ? ByKind<T>[I[P]] : P extends keyof R ? ByKind<T>[R[P]] : never;
};

/** Operands as they are passed: optional ones may be left out. */
export type Passed<I extends Operands, T> = {
  readonly [P in keyof I as I[P] extends "optional" ? never : P]: ByKind<T>[I[P]];
} & { readonly [P in keyof I as I[P] extends "optional" ? P : never]?: T | undefined };

/** Gradients of results: that of an only one is always there, for without it nothing asks. */
export type ResultGradients<R extends Results, T> = {
  readonly [P in keyof R]:
    | { readonly always: T; readonly optional: T | undefined; readonly list: readonly (T | undefined)[] }[R[P]]
    | ([Exclude<keyof R, P>] extends [never] ? never : undefined);
};

/** Operands of any op. */
export type AnyOperands<T> = Given<Operands, T>;
/** Results of any op. */
export type AnyResults<T> = Given<Results, T>;

/** The same operands or results, each tensor replaced. */
export function mapTensors<T>(named: AnyResults<Tensor>, replace: (x: Tensor) => T): AnyResults<T>;
export function mapTensors<T>(named: AnyOperands<Tensor>, replace: (x: Tensor) => T): AnyOperands<T>;
export function mapTensors<T>(named: AnyOperands<Tensor>, replace: (x: Tensor) => T): AnyOperands<T> {
  const mapped: Record<string, T | readonly T[] | number | undefined> = {};
  for (const name in named) {
    const x = named[name];
    mapped[name] = x instanceof Tensor ? replace(x) : typeof x === "object" ? x.map(replace) : x;
  }
  return mapped;
}

type Counterparts = Readonly<Record<string, Tensor | readonly (Tensor | undefined)[] | number | undefined>>;

/** Every tensor among operands or results that has a counterpart of its name, beside it, in their order. */
export function* pairs(named: AnyOperands<Tensor>, others: Counterparts): Generator<readonly [x: Tensor, other: Tensor]> {
  for (const name in named) {
    const [xs, counterparts] = [[named[name]].flat(), [others[name]].flat()];
    for (const [i, x] of xs.entries()) {
      const other = counterparts[i];
      if (x instanceof Tensor && other instanceof Tensor) yield [x, other];
    }
  }
}
