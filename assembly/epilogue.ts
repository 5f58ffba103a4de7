// An elementwise command that goes on with a product's rows as they come: see `chainedCalls` in src/autograd/chains.ts.
import { fusedRange } from "./fused";

/** The arguments of the command; 0 where there is none. */
let args: usize = 0;

export function setEpilogue(command: usize): void {
  args = command;
}

// @ts-ignore: decorator
@inline
export function hasEpilogue(): bool {
  return args != 0;
}

/** Goes on with elements from..to-1 of the product. */
export function runEpilogue(from: i32, to: i32): void {
  fusedRange(args, from, to);
}
