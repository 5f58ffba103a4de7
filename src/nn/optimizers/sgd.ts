import { add, mul, sub } from "../../autograd/ops/elementwise.js";
import { scope } from "../../autograd/tensor.js";
import { checkOptions, notNegative, type Rules } from "../../base/options.js";
import { checkGradients } from "../checks.js";
import type { Gradients } from "./gradients.js";
import { type OptimizerOptions, type OptimizerStep, optimizerRules, StepBuilder, vanishing } from "./step.js";

export interface SgdOptions extends OptimizerOptions {
  readonly momentum?: number;
  readonly weightDecay?: number;
}

const sgdRules: Rules<SgdOptions> = { ...optimizerRules, momentum: notNegative, weightDecay: notNegative };

/** Stochastic gradient descent: b ← momentum·b + (g + wd·p), p ← p - lr·b, as PyTorch's.
 *  @throws ConfigError when an option is unknown or against its rule */
export function sgd(gradients: Gradients, options: SgdOptions): OptimizerStep {
  checkGradients("sgd", gradients);
  checkOptions("sgd", options, sgdRules);
  return scope("sgd", () => {
    const { lr, momentum = 0, weightDecay = 0 } = options;
    const build = new StepBuilder(options);
    for (const [name, { parameter: p, gradient, factor }] of gradients) {
      const scaled = factor ? mul(gradient, factor) : gradient;
      const g = weightDecay === 0 ? scaled : add(scaled, mul(p, weightDecay));
      let direction = g;
      if (momentum !== 0) {
        const b = build.state(`${name}.momentum`, p.shape);
        direction = build.update(b, vanishing(add(mul(b, momentum), g)));
      }
      const weight = build.update(p, sub(p, mul(direction, lr)));
      for (const average of build.averagesOf(name)) build.move([average], [weight]);
    }
    return build.done();
  });
}
