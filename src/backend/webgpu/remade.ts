/** Results that are made again, element by element, where they are read: who reads them need not wait for them. */
import type { KernelCall } from "../calls.js";
import type { Source, Unit } from "./joins.js";
import { lanesOfSum } from "./launches.js";
import { within } from "./places.js";

/** Fused calls of more instructions cost more to make again than a dispatch. */
const mostInstructions = 2;
/** Sums of more numbers do, too. */
const mostSummed = 8;
/** Kernels that read an element few times, however they go about it. */
const readers: readonly string[] = [
  ...["matmul", "layerNorm", "layerNormGrad", "layerNormSums"],
  ...["fused", "reduce", "gatherRows", "copyStrided", "unfold", "fold", "sinusoid"],
];

/** Of the buffers that a unit reads those that are results of a join, and cheap to make again. */
export function sourcesOf<B>(join: readonly Unit<B>[], { call, own }: Unit<B>): Map<number, Source<B>> {
  const sources = new Map<number, Source<B>>();
  if (!readers.includes(call.kernel)) return sources;
  own.forEach((touch, i) => {
    if (touch.writes) return;
    for (const unit of join) {
      // Where what rides is in place, it has the last word.
      const result = unit.own.findLastIndex((other) => other.writes && within(touch, other));
      if (result >= 0 && isCheap(unit)) sources.set(i, { unit, result, first: touch.offset - unit.own[result].offset });
    }
  });
  return sources;
}

/** Whether element i of a unit's results needs few elements of what it reads. */
function isCheap({ call, rider }: Unit<unknown>): boolean {
  if (rider && rider.call.code.length > mostInstructions) return false;
  switch (call.kernel) {
    case "gatherRows":
    case "unfold":
    case "unpackHalves":
      return true;
    case "copyStrided":
      return isWhole(call.args);
    case "fold": {
      const { kernelHeight, kernelWidth, stride } = call.args;
      return (kernelHeight * kernelWidth) / stride ** 2 <= mostSummed;
    }
    case "fused":
      return call.code.length <= mostInstructions;
    case "reduce":
      return lanesOfSum(call) === 1 && Math.min(call.chunk, call.dims[1]) <= mostSummed && call.code.length <= mostInstructions;
    default:
      return false;
  }
}

/** Whether element i of a copy is the i-th that is written. */
function isWhole(args: (KernelCall<unknown> & { readonly kernel: "copyStrided" })["args"]): boolean {
  const { yOffset, d0, d1, d2, d3, d4, d5, y0, y1, y2, y3, y4, y5 } = args;
  const strides = [y0, y1, y2, y3, y4, y5];
  let step = 1;
  return (
    yOffset === 0 &&
    [d0, d1, d2, d3, d4, d5].reduceRight((fits, size, axis) => {
      const own = size === 1 || strides[axis] === step;
      step *= size;
      return fits && own;
    }, true)
  );
}
