/** By which tiles an adapter computes products fastest: measured once, kept, and used from then on. */
import { runtime } from "#runtime";
import type { Cache } from "../../base/cache.js";
import { messageOf } from "../../base/errors.js";
import type { KernelCall } from "../calls.js";
import { browserCache } from "./browserCache.js";
import { numbersOf, type ProductTile, productTiles, type Sizes, type TileOf, usualTile } from "./launches.js";

/** Where choices are kept, for all adapters. */
const file = "webgpu-tuning.json";

type Product<B> = Extract<KernelCall<B>, { readonly kernel: "matmul" }>;
/** What a product takes by a tile. @units ms */
export type TimeOf<B> = (product: Product<B>, tile: ProductTile) => Promise<number>;

/** Products that are alike share a choice: sizes count to the next power of two. */
export function classOf({ transposeA, transposeB, batch, m, n, k }: Sizes): string {
  const sizes = [batch, m, n, k].map((size) => 2 ** Math.ceil(Math.log2(Math.max(1, size))));
  return `${sizes.join("x")} ${transposeA}${transposeB}`;
}

/** Tiles that are worth a try: more than half empty is none. */
const candidatesOf = ({ m, n }: Sizes): readonly ProductTile[] =>
  productTiles.filter((tile) => tile === productTiles[0] || Math.min(m, n) > tile / 2);

export class Tuner {
  private readonly tiles = new Map<string, ProductTile>();
  private measured = 0;
  private unkept = "";
  /** Measurements follow each other. */
  private turn: Promise<void> = Promise.resolve();

  private constructor(
    private readonly adapter: string,
    private readonly cache: Cache,
  ) {}

  /** With what was kept of an adapter. */
  static async open(adapter: string, cache = runtime.cache ?? browserCache): Promise<Tuner> {
    const tuner = new Tuner(adapter, cache);
    for (const [name, tile] of (await recall(cache)).get(adapter) ?? []) tuner.tiles.set(name, tile);
    return tuner;
  }

  readonly tileOf: TileOf = (sizes) => this.tiles.get(classOf(sizes)) ?? usualTile(sizes);

  /** In a few words. */
  get summary(): string {
    return `tiles of ${this.tiles.size} kinds of products by measurement, ${this.measured} of them now${this.unkept}`;
  }

  /** Measures the products among calls that were not yet; undefined where all were. Rejects with what ends a measurement. */
  measure<B>(calls: readonly KernelCall<B>[], timeOf: TimeOf<B>): Promise<void> | undefined {
    const open = new Map<string, Product<B>>();
    const elements = ({ args: { batch, m, n, k } }: Product<B>) => batch * m * n * k;
    for (const call of calls) {
      if (call.kernel !== "matmul") continue;
      const name = classOf(numbersOf(call));
      const other = open.get(name);
      if (!this.tiles.has(name) && !(other && elements(other) >= elements(call))) open.set(name, call);
    }
    if (open.size === 0) return undefined;
    const own = this.turn.then(() => this.measureAll(open, timeOf));
    this.turn = own.catch(() => {});
    return own;
  }

  private async measureAll<B>(products: ReadonlyMap<string, Product<B>>, timeOf: TimeOf<B>): Promise<void> {
    for (const [name, product] of products) {
      if (this.tiles.has(name)) continue;
      let best: { readonly tile: ProductTile; readonly ms: number } | undefined;
      for (const tile of candidatesOf(numbersOf(product))) {
        const ms = await timeOf(product, tile);
        if (!best || ms < best.ms) best = { tile, ms };
      }
      if (best) this.tiles.set(name, best.tile);
      this.measured++;
    }
    try {
      // Another process may have kept something since.
      const kept = await recall(this.cache);
      kept.set(this.adapter, new Map([...(kept.get(this.adapter) ?? []), ...this.tiles]));
      const plain = Object.fromEntries([...kept].map(([adapter, tiles]) => [adapter, Object.fromEntries(tiles)]));
      await this.cache.keep(file, `${JSON.stringify(plain, null, 1)}\n`);
    } catch (error) {
      this.unkept = `, not kept (${messageOf(error)})`;
    }
  }
}

/** Tiles by adapter and class. What is not of this form counts as not there: it only costs a measurement. */
async function recall(cache: Cache): Promise<Map<string, ReadonlyMap<string, ProductTile>>> {
  const text = await cache.recall(file).catch(() => undefined);
  const found = new Map<string, ReadonlyMap<string, ProductTile>>();
  for (const [adapter, tiles] of entries(parsed(text)))
    found.set(adapter, new Map(entries(tiles).flatMap(([name, tile]) => (isTile(tile) ? [[name, tile] as const] : []))));
  return found;
}

function parsed(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const entries = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];
const isTile = (value: unknown): value is ProductTile => productTiles.some((tile) => tile === value);
