import type { Buffer, View } from "../../autograd/buffer.js";
import { input, isConstant, type Tensor } from "../../autograd/tensor.js";
import { callCost, type KernelCall } from "../../backend/calls.js";
import { referenceTarget } from "../../backend/reference/device.js";
import { checkOptions, checkValue, needed, type Rules, triple, whole } from "../../base/options.js";
import { lower } from "../../program/lower.js";
import { type ModelInputs, PTDiT } from "../model.js";
import type { Triple } from "../windows.js";
import { type Complexity, type Counts, complexityOf, Sums } from "./counts.js";

/** What a model is given. */
export interface ComplexityInputs {
  /** Frames, rows and columns of the latents; of a model of colours, of the picture. */
  readonly latents: Triple;
  /** Tokens of the caption, padding among them; of a model without captions none. */
  readonly textTokens?: number;
}

const rules: Rules<ComplexityInputs> = { latents: needed(triple), textTokens: whole(1) };
/** What T5 gives PixArt-alpha and the paper's models. */
export const paperTextTokens = 120;

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
  const { calls, leaves, viewOf } = lower([model.forward(sampleInputs(model, inputs))], [], referenceTarget, { apart: true });
  const constants = new Set(leaves.filter(isConstant).map((leaf) => viewOf(leaf).buffer));
  const [parts, blocks] = [new Sums(), new Sums()];
  for (const { call, scope } of calls) {
    const { part, block } = placeOf(scope);
    const counts = countsOf(call, part, constants);
    if (Object.keys(counts).length === 0) continue;
    parts.add(part, counts);
    if (block !== undefined) blocks.add(block, counts);
  }
  return { ...complexityOf(parts.counts, model.parameterCount), blocks: [...blocks.counts.values()] };
}

/** Inputs of one sample, every condition that the model asks for.
 *  @shape x [1, C, F, H, W], t [1], caption [1, L, captionChannels] */
export function sampleInputs(
  { config }: PTDiT,
  { latents, textTokens = paperTextTokens }: ComplexityInputs,
): Pick<ModelInputs, "x" | "t"> & Record<string, Tensor> {
  const { captionChannels, classes, sizeConditions, inChannels } = config;
  return {
    x: input([1, inChannels, ...latents]),
    t: input([1]),
    ...(captionChannels !== null && { caption: input([1, textTokens, captionChannels]), keep: input([1, textTokens]) }),
    ...(classes > 0 && { labels: input([1], "i32") }),
    ...(sizeConditions && { resolution: input([1, 2]), aspect: input([1, 1]) }),
  };
}

/** The layer that a call is of, of a block its branch. */
function placeOf(scope: string): { readonly part: string; readonly block?: string } {
  const [part = "", block, branch] = scope.split(".");
  return part === "blocks" && block && branch ? { part: branch, block } : { part };
}

function countsOf(call: KernelCall<View>, part: string, constants: ReadonlySet<Buffer>): Partial<Counts> {
  const { multiplyAdds } = callCost(call);
  if (call.kernel === "attention") return { qk: multiplyAdds / 2, av: multiplyAdds / 2 };
  if (call.kernel === "layerNorm") {
    const { rows, columns, mean, scale, offset } = call.args;
    // As thop, which knows no RMS norms.
    return { norms: mean ? rows * columns * (scale && offset === 0 ? 4 : 2) : 0 };
  }
  if (call.kernel !== "matmul") return {};
  if (constants.has(call.args.a.buffer)) return { other: multiplyAdds };
  return part === "patchEmbed" ? { convolution: multiplyAdds } : { linear: multiplyAdds };
}
