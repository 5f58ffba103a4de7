/** What a model says of latents, and how its answer without the caption guides that with it. */
import { concat, slice } from "../autograd/ops/copy.js";
import { add, broadcastTo, div, mul, square, sub } from "../autograd/ops/elementwise.js";
import { sum } from "../autograd/ops/reduce.js";
import { reshape } from "../autograd/ops/reshape.js";
import type { Tensor } from "../autograd/tensor.js";
import { predicted } from "./flow.js";
import type { Path } from "./paths/index.js";
import type { Reading } from "./solvers/index.js";
import type { Predictor } from "./stepProgram.js";

/** How the two halves of a batch become one answer: not at all, there is no second; by the difference of what they predict; or as
 *  CFG-Zero* has it (see `SamplingConfig`). */
export type Guidance = "none" | "difference" | "zero";

/** Velocity and data as a model says them. @shape latents [B, C, F, H, W], guidance [] */
export function readings(
  { predictor, path, guided }: { readonly predictor: Predictor; readonly path: Path; readonly guided: Guidance },
  [batch, channels]: readonly number[],
  guidance: Tensor,
): { readonly velocity: Reading; readonly data: Reading } {
  /** With guidance the samples under their own captions come first. */
  const predict = (z: Tensor, u: Tensor): Tensor => {
    const copies = guided === "none" ? z : concat([z, z], 0);
    const t = broadcastTo(mul(u, 1000), copies.shape.slice(0, 1));
    return predicted(predictor(copies, t), channels); // [R, C, F, H, W]
  };
  const halves = (out: Tensor): [Tensor, Tensor] => [slice(out, 0, 0, batch), slice(out, 0, batch, 2 * batch)];
  const towards = (from: Tensor, to: Tensor): Tensor => add(from, mul(sub(to, from), guidance));
  const times = (u: Tensor): Tensor => broadcastTo(u, [batch]); // [B]
  if (guided === "zero") {
    const velocity: Reading = (z, u) => {
      const [own, without] = halves(predict(z, u)).map((half) => path.velocity(z, half, times(u))); // [B, C, F, H, W]
      return towards(mul(without, scaleOnto(without, own)), own);
    };
    return { velocity, data: (z, u) => path.ahead(z, velocity(z, u), times(u)) };
  }
  const prediction = (z: Tensor, u: Tensor): Tensor => {
    const out = predict(z, u);
    if (guided === "none") return out;
    const [own, without] = halves(out);
    return towards(without, own); // [B, C, F, H, W]
  };
  return {
    velocity: (z, u) => path.velocity(z, prediction(z, u), times(u)),
    data: (z, u) => path.data(z, prediction(z, u), times(u)),
  };
}

/** The number by which a comes nearest to b, for every sample: Σ a b / Σ a². @shape a, b [B, ...] -> [B, 1, ...] */
function scaleOnto(a: Tensor, b: Tensor): Tensor {
  const rows = (x: Tensor): Tensor => reshape(x, [x.shape[0], -1]);
  const scale = div(sum(rows(mul(a, b)), 1), add(sum(rows(square(a)), 1), 1e-8)); // [B]
  return reshape(scale, [a.shape[0], ...a.shape.slice(1).map(() => 1)]);
}
