import { note } from "../autograd/notes.js";
import { type AttentionMask, attention, crossAttention, selfAttention } from "../autograd/ops/attention.js";
import { concat } from "../autograd/ops/copy.js";
import { linear } from "../autograd/ops/matmul.js";
import { reshape } from "../autograd/ops/reshape.js";
import type { Tensor } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";
import { checkOptions, flag, needed, type Rules } from "../base/options.js";
import { checkSeed, checkSizes } from "./checks.js";
import type { Seed } from "./init.js";
import { Linear, RMSNorm } from "./layers.js";
import { Module } from "./module.js";

/** Layers side by side as one product: x is read once, and so is the gradient of all.
 *  @shape x [..., in] -> [..., Σ out] */
function sideBySide(layers: readonly Linear[], x: Tensor): Tensor {
  const weight = concat(
    layers.map((own) => own.weight),
    0,
  ); // [Σ out, in]
  const biases = layers.flatMap(({ bias }) => bias ?? []);
  return linear(x, weight, biases.length > 0 ? concat(biases, 0) : undefined);
}

export interface AttentionOptions {
  readonly bias: boolean;
  /** Whether queries and keys are normalised, head by head. @source Dehghani et al., arXiv 2302.05442; Esser et al., arXiv 2403.03206 */
  readonly qkNorm?: boolean;
}
const attentionRules: Rules<AttentionOptions> = { bias: needed(flag), qkNorm: flag };

/** Multi-head attention with its projections.
 *  @shape queries [G, Lq, D], context [G, Lk, D] -> [G, Lq, D] */
export class Attention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Linear;
  readonly queryNorm: RMSNorm | undefined;
  readonly keyNorm: RMSNorm | undefined;

  constructor(
    width: number,
    private readonly heads: number,
    seed: Seed,
    options: AttentionOptions,
  ) {
    super(seed);
    checkSizes("attention", { width, heads });
    checkSeed("attention", seed);
    checkOptions("attention", options, attentionRules);
    if (width % heads !== 0)
      throw new ConfigError(`attention: width ${width} is not a whole number of ${heads} heads. Choose a divisor of ${width}.`);
    const { bias, qkNorm } = options;
    const projection = (name: string) => new Linear(width, width, seed.at(name), { bias });
    this.query = projection("query");
    this.key = projection("key");
    this.value = projection("value");
    this.out = new Linear(width, width, seed.at("out"));
    this.queryNorm = qkNorm ? new RMSNorm(width / heads, seed.at("queryNorm")) : undefined;
    this.keyNorm = qkNorm ? new RMSNorm(width / heads, seed.at("keyNorm")) : undefined;
  }

  forward(queries: Tensor, context: Tensor = queries, mask: AttentionMask = {}): Tensor {
    return this.scoped(() => {
      const { query, key, value, heads, queryNorm, keyNorm } = this;
      if (queryNorm && keyNorm) {
        const q = note("q", this.byHead(queryNorm, query.forward(queries))); // [G, Lq, D]
        const k = note("k", this.byHead(keyNorm, key.forward(context))); // [G, Lk, D]
        const v = note("v", value.forward(context)); // [G, Lk, D]
        return this.out.forward(note("attended", attention(q, k, v, heads, mask))); // [G, Lq, D]
      }
      if (context === queries) {
        const qkv = note("qkv", sideBySide([query, key, value], queries)); // [G, L, 3D]
        return this.out.forward(note("attended", selfAttention(qkv, heads, mask))); // [G, L, D]
      }
      const kv = sideBySide([key, value], context); // [G, Lk, 2D]
      return this.out.forward(crossAttention(query.forward(queries), kv, heads, mask)); // [G, Lq, D]
    });
  }

  /** @shape x [G, L, D] -> [G, L, D] */
  private byHead(norm: RMSNorm, x: Tensor): Tensor {
    const [groups, length] = x.shape;
    return reshape(norm.forward(reshape(x, [groups, length, this.heads, -1])), x.shape);
  }
}
