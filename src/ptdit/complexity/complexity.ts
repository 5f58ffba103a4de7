import type { Buffer, View } from "../../autograd/buffer.js";
import { input, isConstant } from "../../autograd/tensor.js";
import { callCost, type KernelCall } from "../../backend/calls.js";
import { referenceTarget } from "../../backend/reference/device.js";
import { checkOptions, checkValue, needed, type Rules, triple, whole } from "../../base/options.js";
import { lower } from "../../program/lower.js";
import { type ModelInputs, PTDiT } from "../model.js";
import type { Triple } from "../windows.js";
import { addCounts, type Complexity, type Counts, complexityOf, noCounts } from "./counts.js";

/** What a model is given. */
export interface ComplexityInputs {
  /** Frames, rows and columns of the latents; of a model of colours, of the picture. */
  readonly latents: Triple;
  /** Tokens of the caption, padding among them; of a model without captions none. */
  readonly textTokens?: number;
}

const rules: Rules<ComplexityInputs> = { latents: needed(triple), textTokens: whole(1) };
/** What T5 gives PixArt-alpha and the paper's models. */
const usualTextTokens = 120;

/**
 * Counts one forward pass of one sample from the model's own graph: it is lowered call by call, and neither weights nor tables are made.
 * @shape latents [F, H, W]
 * @units multiply-adds
 * @throws ConfigError when an input is unknown or against its rule, windows do not tile the grid, or a count is not exact
 * @throws ShapeError when rows and columns are not whole patches
 */
export function complexity(model: PTDiT, inputs: ComplexityInputs): Complexity {
  checkValue("complexity", "the model", model, { text: "a PTDiT", holds: (value) => value instanceof PTDiT });
  checkOptions("complexity", inputs, rules);
  const { calls, leaves, viewOf } = lower([model.forward(given(model, inputs))], [], referenceTarget, { apart: true });
  const constants = new Set(leaves.filter(isConstant).map((leaf) => viewOf(leaf).buffer));
  const parts = new Map<string, Counts>();
  for (const { call, scope } of calls) {
    const part = partOf(scope);
    parts.set(part, addCounts(parts.get(part) ?? noCounts, countsOf(call, part, constants)));
  }
  const used = [...parts].filter(([, counts]) => Object.values(counts).some((count) => count > 0));
  return complexityOf(new Map(used), model.parameterCount);
}

/** Inputs of one sample, every condition that the model asks for. */
function given({ config }: PTDiT, { latents, textTokens = usualTextTokens }: ComplexityInputs): ModelInputs {
  const { captionChannels, classes, sizeConditions, inChannels } = config;
  return {
    x: input([1, inChannels, ...latents]),
    t: input([1]),
    ...(captionChannels !== null && { caption: input([1, textTokens, captionChannels]), keep: input([1, textTokens]) }),
    ...(classes > 0 && { labels: input([1], "i32") }),
    ...(sizeConditions && { resolution: input([1, 2]), aspect: input([1, 1]) }),
  };
}

/** The branch of a block, or the layer outside them. */
function partOf(scope: string): string {
  const [first = "", , branch] = scope.split(".");
  return first === "blocks" && branch ? branch : first;
}

function countsOf(call: KernelCall<View>, part: string, constants: ReadonlySet<Buffer>): Partial<Counts> {
  const { multiplyAdds } = callCost(call);
  if (call.kernel === "attention") return { qk: multiplyAdds / 2, av: multiplyAdds / 2 };
  if (call.kernel === "layerNorm") {
    const { rows, columns, scale, offset } = call.args;
    return { norms: rows * columns * (scale && offset === 0 ? 4 : 2) };
  }
  if (call.kernel !== "matmul") return {};
  if (constants.has(call.args.a.buffer)) return { other: multiplyAdds };
  return part === "patchEmbed" ? { convolution: multiplyAdds } : { linear: multiplyAdds };
}
