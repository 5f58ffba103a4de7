/** Two copies of the library in one page (two bundles, two versions) do not know each other's tensors; each marks what it makes. */

/** The property that holds a thing's copy: the same symbol in every copy. */
export const copyOf: unique symbol = Symbol.for("ptdit.copy");

/** This copy. */
export const thisCopy: object = Object.freeze({});

/** Whether another copy of the library made it. */
export function isForeign(value: unknown): boolean {
  const { [copyOf]: copy }: { readonly [copyOf]?: unknown } = Object(value);
  return copy !== undefined && copy !== thisCopy;
}
