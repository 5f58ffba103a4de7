import { ShapeError } from "../../base/errors.js";
import { checkOptions, checkValue, oneOf, part, positive, type Rules, show, whole } from "../../base/options.js";
import { lastOf, sameShape, showShape } from "../../base/shape.js";
import { checkTensors, hostData, isConstant, type Tensor } from "../tensor.js";
import { abs, add, div, equal, exp, greater, greaterEqual, log, mul, square, stopGradient, sub, where } from "./elementwise.js";
import { allLabels, toF32 } from "./indices.js";
import { max, mean, sum } from "./reduce.js";
import { reshape } from "./reshape.js";

/** Mean of (prediction - target)² over everything.
 *  @shape prediction, target broadcast together -> [] */
export const meanSquareLoss = (prediction: Tensor, target: Tensor): Tensor => mean(square(sub(prediction, target)));

/** Mean Huber loss: e²/2 where |e| ≤ delta, else delta (|e| - delta/2).
 *  @shape prediction, target broadcast together -> []
 *  @throws ConfigError when delta is not a positive, finite number
 *  @source Huber, 1964 */
export function huberLoss(prediction: Tensor, target: Tensor, delta = 1): Tensor {
  checkValue("huberLoss", "delta", delta, positive);
  const error = sub(prediction, target);
  const size = abs(error);
  return mean(where(greater(size, delta), mul(sub(size, delta / 2), delta), mul(square(error), 0.5)));
}

export interface CrossEntropyOptions {
  /** The label of rows that do not count; -100 by default. Only for labels. */
  readonly ignoreIndex?: number;
  /** Part of every target that is spread evenly over all classes. */
  readonly labelSmoothing?: number;
  /** What becomes of the rows' losses: their mean (over those that count), their sum, or nothing. */
  readonly reduction?: "mean" | "sum" | "none";
}

const crossEntropyRules: Rules<CrossEntropyOptions> = {
  ignoreIndex: whole(-(2 ** 31), 2 ** 31 - 1),
  labelSmoothing: part,
  reduction: oneOf("mean", "sum", "none"),
};
/** Labels are compared as f32. */
const mostClasses = 2 ** 24;

/**
 * Cross-entropy of classes: -Σ target_c · ln softmax(logits)_c a row, from logits shifted by their largest, so that none overflows.
 * Without a row that counts the mean is NaN. A label outside 0..classes-1 that is not ignored is refused where it is known, and
 * makes its row NaN where it comes with a run.
 * @shape logits [..., classes], targets i32 [...] (labels) or f32 [..., classes] (probabilities) -> [], or [...] with reduction "none"
 * @units logits: any; the loss in nats
 * @throws ShapeError when targets fit neither form, or a label is out of range
 * @throws ConfigError when an option is unknown or against its rule
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkTensors("crossEntropy", { logits, targets });
  checkOptions("crossEntropy", options, crossEntropyRules);
  const classes = logits.shape.at(-1);
  if (classes === undefined || classes > mostClasses)
    throw new ShapeError(
      `crossEntropy: logits must be [..., classes] of at most 2^24 classes, got ${showShape(logits.shape)}.`,
    );
  const rows = logits.shape.slice(0, -1);
  const labelled = targets.dtype === "i32";
  if (!sameShape(targets.shape, labelled ? rows : logits.shape)) {
    throw new ShapeError(
      `crossEntropy: logits ${showShape(logits.shape)} need labels i32 ${showShape(rows)} or probabilities f32 ` +
        `${showShape(logits.shape)}, got ${targets.dtype} ${showShape(targets.shape)}. Labels are an Int32Array, or input(shape, "i32").`,
    );
  }
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = "mean" } = options;
  if (!labelled && options.ignoreIndex !== undefined)
    throw new ShapeError(`crossEntropy: ignoreIndex is for labels, got probabilities ${showShape(targets.shape)}.`);
  const { losses, counted } = labelled
    ? labelLosses(logits, targets, ignoreIndex, labelSmoothing)
    : { losses: probabilityLosses(logits, targets, labelSmoothing), counted: undefined }; // [..., 1]
  if (reduction === "none") return reshape(losses, rows);
  if (reduction === "sum") return sum(losses);
  return counted ? div(sum(losses), sum(counted)) : mean(losses);
}

/** Logits less their largest, and the logarithm of the sum of their exponentials. @shape x [..., n] -> [..., n], [..., 1] */
function shifted(x: Tensor): { z: Tensor; logTotal: Tensor } {
  const z = sub(x, stopGradient(max(x, -1, true))); // [..., n]
  return { z, logTotal: log(sum(exp(z), -1, true)) };
}

/** @shape logits [..., n], labels i32 [...] -> losses [..., 1], counted [..., 1] (1 = counts) */
function labelLosses(logits: Tensor, labels: Tensor, ignoreIndex: number, smoothing: number) {
  const classes = lastOf(logits.shape);
  checkLabels(labels, classes, ignoreIndex);
  const label = reshape(toF32(labels), [...labels.shape, 1]); // [..., 1]
  const counted = sub(1, equal(label, ignoreIndex)); // [..., 1]
  const { z, logTotal } = shifted(where(counted, logits, 0)); // [..., n], [..., 1]
  const own = sum(where(equal(label, allLabels(classes)), z, 0), -1, true); // [..., 1]
  const spread = smoothing > 0 ? mean(z, -1, true) : undefined; // [..., 1]
  const target = spread ? add(mul(own, 1 - smoothing), mul(spread, smoothing)) : own; // [..., 1]
  const known = mul(greaterEqual(label, 0), greater(classes, label)); // [..., 1]
  return { losses: where(counted, where(known, sub(logTotal, target), Number.NaN), 0), counted };
}

function checkLabels(labels: Tensor, classes: number, ignoreIndex: number): void {
  if (!isConstant(labels)) return;
  const numbers = hostData(labels);
  const at = numbers.findIndex((label: number) => label !== ignoreIndex && !(label >= 0 && label < classes));
  if (at >= 0) {
    throw new ShapeError(
      `crossEntropy: labels go from 0 to ${classes - 1} (or ${ignoreIndex}, which is ignored); label ${at} is ${show(numbers[at])}.`,
    );
  }
}

/** @shape logits, probabilities [..., n] -> [..., 1] */
function probabilityLosses(logits: Tensor, probabilities: Tensor, smoothing: number): Tensor {
  const classes = lastOf(logits.shape);
  const p = smoothing > 0 ? add(mul(probabilities, 1 - smoothing), smoothing / classes) : probabilities; // [..., n]
  const { z, logTotal } = shifted(logits);
  // A class whose logit is -∞ costs nothing where nothing is expected of it: 0·∞ would be NaN, in the gradient too.
  const barred = equal(z, Number.NEGATIVE_INFINITY); // [..., n]
  const costs = mul(p, sub(logTotal, where(barred, 0, z))); // [..., n]
  return sum(where(barred, where(equal(p, 0), 0, Number.POSITIVE_INFINITY), costs), -1, true);
}
