import { currentScope, type Tensor } from "./tensor.js";

/** Who listens, if anybody does. */
let listener: Map<string, Tensor> | undefined;

/** Notes a value under its scope and name, for whoever listens, and returns it: `note("proxies", x)` in `blocks.3.giim` is
 *  `blocks.3.giim.proxies`.
 *  @shape x [...] -> x */
export function note(name: string, x: Tensor): Tensor {
  const scope = currentScope();
  listener?.set(scope ? `${scope}.${name}` : name, x);
  return x;
}

/** What `body` returns, and the values that were noted meanwhile, by their names. */
export function listen<T>(body: () => T): { readonly result: T; readonly notes: ReadonlyMap<string, Tensor> } {
  const outer = listener;
  const notes = new Map<string, Tensor>();
  listener = notes;
  try {
    return { result: body(), notes };
  } finally {
    listener = outer;
  }
}
