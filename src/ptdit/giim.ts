import { note } from "../autograd/notes.js";
import { slice } from "../autograd/ops/copy.js";
import { add, broadcastTo, equal, floor, mul } from "../autograd/ops/elementwise.js";
import { matmul } from "../autograd/ops/matmul.js";
import { randomUniform } from "../autograd/ops/random.js";
import { mean, sum } from "../autograd/ops/reduce.js";
import { reshape } from "../autograd/ops/reshape.js";
import { constant, type Tensor } from "../autograd/tensor.js";
import { hashName } from "../base/random.js";
import type { Attention } from "../nn/attention.js";
import type { Seed } from "../nn/init.js";
import { type Linear, zeroLinear } from "../nn/layers.js";
import { Module } from "../nn/module.js";
import { type PTDiTConfig, widthOf } from "./config.js";
import type { Geometry } from "./geometry.js";
import { type TokenNorm, tokenAttention, tokenNorm } from "./layers.js";

/**
 * Global Information Interaction Module: every window's tokens are summed up by proxies, the proxies attend to each other, and
 * every token reads from all of them. Returns the increment; its last layer starts at zero.
 * @source Qihoo-T2X (arXiv 2409.04005), section 3.2; steps 5 to 7 of the architecture
 */
export class GIIM extends Module {
  readonly norm: TokenNorm;
  readonly proxyAttention: Attention;
  readonly tokenNorm: TokenNorm | undefined;
  readonly proxyNorm: TokenNorm;
  readonly crossAttention: Attention | undefined;
  readonly out: Linear;

  constructor(
    private readonly config: PTDiTConfig,
    private readonly seed: Seed,
  ) {
    super(seed);
    const width = widthOf(config);
    const norm = (name: string) => tokenNorm(config, seed.at(name));
    const attention = (name: string) => tokenAttention(config, seed.at(name));
    this.norm = norm("norm");
    this.proxyAttention = attention("proxyAttention");
    this.proxyNorm = norm("proxyNorm");
    const crosses = config.injection === "crossAttention";
    this.tokenNorm = crosses ? norm("tokenNorm") : undefined;
    this.crossAttention = crosses ? attention("crossAttention") : undefined;
    this.out = zeroLinear(width, width, seed.at("out"));
  }

  /** @shape x [B, M, P, D], index (proxy mode `random`: which token of its cell each proxy is; drawn if absent) [B, M, n] -> [B, M, P, D] */
  forward(x: Tensor, geometry: Geometry, index: Tensor | undefined): Tensor {
    const proxies = note("proxies", this.extract(x, geometry, index)); // [B, M n, D]
    const mixed = note("mixed", add(proxies, this.proxyAttention.forward(this.norm.forward(proxies)))); // [B, M n, D]
    const read = this.inject(x, mixed, geometry); // [B, T, D]
    note("read", reshape(read, x.shape));
    return reshape(this.out.forward(read), x.shape); // [B, M, P, D]
  }

  private extract(x: Tensor, { sizes }: Geometry, index: Tensor | undefined): Tensor {
    const [batch, windows, , width] = x.shape;
    const cells = reshape(x, [batch, windows * sizes.proxies, sizes.cell, width]); // [B, M n, cell, D]
    if (this.config.proxyMode === "mean") return mean(cells, 2);
    if (this.config.proxyMode === "first") return reshape(slice(cells, 2, 0, 1), [batch, -1, width]);
    const draw = randomUniform([batch, windows, sizes.proxies], {
      seed: this.seed.value,
      stream: hashName(`${this.seed.path}.proxies`),
    });
    const chosen = reshape(index ?? floor(mul(draw, sizes.cell)), [batch, -1, 1, 1]); // [B, M n, 1, 1]
    const places = constant(
      Float64Array.from({ length: sizes.cell }, (_, i) => i),
      [sizes.cell, 1],
    );
    return sum(mul(cells, equal(chosen, places)), 2); // [B, M n, D]
  }

  private inject(x: Tensor, proxies: Tensor, geometry: Geometry): Tensor {
    const [batch, windows, tokens, width] = x.shape;
    const { crossAttention, tokenNorm } = this;
    const source = this.proxyNorm.forward(proxies); // [B, M n, D]
    if (crossAttention && tokenNorm) {
      const queries = tokenNorm.forward(reshape(x, [batch, windows * tokens, width])); // [B, T, D]
      return crossAttention.forward(queries, source); // [B, T, D]
    }
    const { proxies: n, cell } = geometry.sizes;
    if (this.config.injection === "linear") {
      const own = reshape(source, [batch, windows * n, 1, width]);
      return reshape(broadcastTo(own, [batch, windows * n, cell, width]), [batch, windows * tokens, width]); // [B, T, D]
    }
    const weights = constant(() => geometry.interpolation(), [windows * tokens, windows * n]);
    return matmul(weights, source); // [B, T, D]
  }
}
