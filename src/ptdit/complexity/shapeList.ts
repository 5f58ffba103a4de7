import { type Complexity, type Counts, complexityOf, Sums } from "./counts.js";

interface ProductOptions {
  readonly bias?: boolean;
  /** How many such layers there are. */
  readonly times?: number;
}

interface NormOptions {
  readonly times?: number;
  /** Numbers with a weight and a bias of their own: all of a row if not given, of a norm of heads one head's, 0 for none. */
  readonly weights?: number;
  /** `plain`: a layer norm. `own`: a subclass of it, which thop does not know. `rms`: not known either, and without bias. */
  readonly kind?: "plain" | "own" | "rms";
}

/** Counts a model that is known by the shapes of its layers alone. */
export class ShapeList {
  private readonly parts = new Sums();
  private parameters = 0;

  /** Dense layers from `width` to `out` numbers, on `rows` rows. */
  linear(part: string, rows: number, width: number, out: number, { bias = true, times = 1 }: ProductOptions = {}): this {
    this.parameters += times * (width * out + (bias ? out : 0));
    return this.add(part, { linear: times * rows * width * out });
  }

  /** Convolutions that make `out` numbers at each of `rows` places, each of `width` numbers. */
  convolution(part: string, rows: number, width: number, out: number, times = 1): this {
    this.parameters += times * (width * out + out);
    return this.add(part, { convolution: times * rows * width * out });
  }

  /** Attention without its projections; `width` is that of all heads. */
  attention(part: string, queries: number, keys: number, width: number, times = 1): this {
    const each = times * queries * keys * width;
    return this.add(part, { qk: each, av: each });
  }

  norm(part: string, rows: number, width: number, { times = 1, weights = width, kind = "plain" }: NormOptions = {}): this {
    this.parameters += times * weights * (kind === "rms" ? 1 : 2);
    return this.add(part, { norms: kind === "plain" ? times * rows * width * (weights > 0 ? 4 : 2) : 0 });
  }

  /** Numbers that are learned, and that no product reads: embeddings, tables of modulation. */
  weights(count: number): this {
    this.parameters += count;
    return this;
  }

  counted(): Complexity {
    return complexityOf(this.parts.counts, this.parameters);
  }

  private add(part: string, counts: Partial<Counts>): this {
    this.parts.add(part, counts);
    return this;
  }
}
