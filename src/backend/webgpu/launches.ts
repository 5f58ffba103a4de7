/** How kernels are shared out among lanes and workgroups, and which files of `wgsl/` they are. */
import { type KernelCall, kernelOf } from "../calls.js";
import type { KernelName } from "../kernels/index.js";
import type { ReduceCall } from "../kernels/reduce.js";

export type Sizes = Readonly<Record<string, number>>;

/** The numbers of a kernel's call, by their names. */
export function numbersOf({ kernel, args }: Extract<KernelCall<unknown>, { readonly kernel: KernelName }>): Sizes {
  const given: Readonly<Record<string, unknown>> = args;
  return Object.fromEntries(Object.keys(kernelOf(kernel).numbers).map((name) => [name, Number(given[name])]));
}

/** A dispatch of a kernel. */
export interface Launch {
  /** Files whose text it is, the last one its body: a function `element(i)` a lane, or `group(index, lane)` a workgroup. */
  readonly files: readonly string[];
  readonly kind: "elements" | "groups";
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Elements, or workgroups. */
  readonly count: (sizes: Sizes) => number;
  /** Of what its lanes put together what one has. */
  readonly value?: LaneValue;
  /** What its files take as given beside the call's numbers. */
  readonly constants?: Sizes;
  /** What they have in workgroup memory. */
  readonly arrays?: readonly SharedArray[];
}

/** An array in workgroup memory, by its name in WGSL. */
export interface SharedArray {
  readonly name: string;
  readonly type: LaneValue | "vec4f";
  readonly count: number;
}

/** Types of what lanes have that is put together. */
export type LaneValue = "f32" | "vec2f" | "vec3f";

/** Lanes of a workgroup where every lane has an element of its own. */
export const lanesOfElements = 64;
const elements = (count: Launch["count"], ...files: readonly string[]): Launch => ({
  files,
  kind: "elements",
  lanes: lanesOfElements,
  count,
});
const groups = (lanes: number, count: Launch["count"], ...files: readonly string[]): Launch => ({
  files,
  kind: "groups",
  lanes,
  count,
});

/** A workgroup a row, of which every lane has a part. */
const rowGroups = (value: LaneValue, ...files: readonly string[]): Launch => ({
  ...groups(64, ({ rows }) => rows, ...files),
  value,
});

const up = (n: number, step: number): number => Math.ceil(n / step);
/** Sides of the tiles that products can be computed by, one a workgroup. */
export const productTiles = [32, 64, 128] as const;
export type ProductTile = (typeof productTiles)[number];
/** The file of each, and how many elements of a row or column it has in workgroup memory at once. */
const productFiles: Readonly<Record<ProductTile, { readonly file: string; readonly depth: number }>> = {
  32: { file: "matmulNarrow", depth: 32 },
  64: { file: "matmul", depth: 16 },
  128: { file: "matmulWide", depth: 8 },
};
/** Which tile a product gets. */
export type TileOf = (sizes: Sizes) => ProductTile;
/** How an adapter's kernels are made. */
export interface Ways {
  readonly tileOf: TileOf;
  /** Whether what lanes have is put together by subgroups. */
  readonly subgroups: boolean;
}
const tiles = ({ batch, m, n }: Sizes, side: number): number => batch * up(m, side) * up(n, side);
/** Fewer tiles would leave most of a GPU idle. */
const enoughTiles = 32;
/** Where nothing was measured: small tiles where larger ones would be mostly empty, or too few. */
export const usualTile: TileOf = (sizes) => (Math.min(sizes.m, sizes.n) <= 32 || tiles(sizes, 64) < enoughTiles ? 32 : 64);
function product(side: ProductTile): Launch {
  const { file, depth } = productFiles[side];
  // One vector more than there are, so that lanes that store a column hit different banks.
  const pitch = side / 4 + 1;
  return {
    ...groups(256, (own) => tiles(own, side), "matmulTiles", file),
    constants: { side, depth, pitch },
    arrays: ["tileA", "tileB"].map((name) => ({ name, type: "vec4f", count: depth * pitch })),
  };
}
/** Queries or keys that a lane of attention has: few where there are few; fewer where heads are wide, for its registers. */
const rowsOfLane = (rows: number, headDim: number): number => (rows <= 8 ? 1 : rows <= 16 || headDim > 64 ? 2 : 4);

/** A workgroup of attention has a block of the queries of a head, or of the keys. `pairs`: what it calls a number of each of their pairs. */
function attention({ lq, lk, headDim }: Sizes, of: "queries" | "keys", pairs: string, ...files: readonly string[]): Launch {
  const [queriesPerLane, keysPerLane] = [rowsOfLane(lq, headDim), rowsOfLane(lk, headDim)];
  const [tileQueries, tileKeys] = [8 * queriesPerLane, 8 * keysPerLane];
  const [rows, tile, others] = of === "queries" ? [lq, tileQueries, tileKeys] : [lk, tileKeys, tileQueries];
  // The width of a head is gone through in chunks of at most 32, of which a lane has every eighth element.
  const chunks = up(headDim, 32);
  const chunk = 8 * up(up(headDim, chunks), 8);
  // One element more than there are: the same element of several rows is in different banks.
  const [pitch, pairPitch] = [chunk + 1, others + 1];
  const array = (name: string, count: number): SharedArray => ({ name, type: "f32", count });
  return {
    ...groups(64, (own) => own.groups * own.heads * up(rows, tile), "math", "attentionTiles", ...files),
    constants: { queriesPerLane, keysPerLane, tileQueries, tileKeys, chunks, chunk, pitch, pairPitch },
    arrays: [
      array("queryTile", tileQueries * pitch),
      array("keyTile", tileKeys * pitch),
      array(pairs, tile * pairPitch),
      array("shares", tileQueries * 9),
    ],
  };
}
/** Lanes of a workgroup that sums. */
export const lanesOfSums = 256;
/** Rows that a lane sums by itself before lanes share. */
const rowsALane = 8;
/** Lanes that share a sum of a reduction. */
export function lanesOfSum({ dims: [, rows], chunk }: Pick<ReduceCall<unknown>, "dims" | "chunk">): number {
  const wanted = Math.ceil(Math.min(chunk, rows) / rowsALane);
  return Math.min(lanesOfSums, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}
/** Columns of a workgroup of sums over a group's rows, as their file has it: the more rows, the more lanes a column. */
const columnsOfSums = (rows: number): number => lanesOfSums / (rows >= 512 ? 32 : rows >= 16 ? 8 : 1);

const launches: Readonly<Record<KernelName, (sizes: Sizes, tileOf: TileOf) => readonly Launch[]>> = {
  fill: () => [elements(({ n }) => n, "fill")],
  copyStrided: () => [elements(({ d0, d1, d2, d3, d4, d5 }) => d0 * d1 * d2 * d3 * d4 * d5, "copyStrided")],
  matmul: (sizes, tileOf) => [product(tileOf(sizes))],
  packHalves: () => [elements(({ n }) => up(n, 2), "packHalves")],
  unpackHalves: () => [elements(({ n }) => n, "unpackHalves")],
  packPanels: () => [elements(({ n, k }) => 16 * up(n, 16) * k, "packPanels")],
  attention: (sizes) => [attention(sizes, "queries", "weights", "attention")],
  attentionGrad: (sizes) => [
    attention(sizes, "queries", "slopesOfPairs", "attentionGradTiles", "attentionGradQueries"),
    attention(sizes, "keys", "ofPairs", "attentionGradTiles", "attentionGradKeys"),
  ],
  softmax: () => [rowGroups("f32", "math", "softmax")],
  softmaxGrad: () => [rowGroups("vec2f", "softmaxGrad")],
  layerNorm: () => [rowGroups("f32", "layerNorm")],
  layerNormGrad: () => [rowGroups("vec3f", "layerNormGrad")],
  layerNormSums: ({ rows, rowsPerGroup }) => [
    {
      ...groups(
        lanesOfSums,
        (own) => up(rows, rowsPerGroup) * up(own.columns, columnsOfSums(Math.min(rows, rowsPerGroup))),
        "layerNormSums",
      ),
      arrays: [{ name: "shares", type: "vec2f", count: lanesOfSums }],
    },
  ],
  adamW: () => [elements(({ n }) => n, "adamW")],
  gatherRows: () => [elements(({ batches, outRows, columns }) => batches * outRows * columns, "gatherRows")],
  scatterAddRows: () => [elements(({ batches, outRows, columns }) => batches * outRows * columns, "scatterAddRows")],
  unfold: () => [
    elements(
      ({ batch, outHeight, outWidth, channels, kernelHeight, kernelWidth }) =>
        batch * outHeight * outWidth * channels * kernelHeight * kernelWidth,
      "unfold",
    ),
  ],
  fold: () => [elements(({ batch, channels, height, width }) => batch * channels * height * width, "fold")],
  uniform: () => [elements(({ n }) => up(n, 4), "random", "uniform")],
  normal: () => [elements(({ n }) => up(n, 4), "math", "random", "normal")],
  sinusoid: () => [elements(({ n, half }) => n * half, "math", "sinusoid")],
  argMax: () => [elements(({ outer, inner }) => outer * inner, "argMax")],
  toF32: () => [elements(({ n }) => n, "toF32")],
};

/** The dispatches of a kernel with these numbers. */
export const launchesOf = (kernel: KernelName, sizes: Sizes, tileOf: TileOf = usualTile): readonly Launch[] =>
  launches[kernel](sizes, tileOf);
