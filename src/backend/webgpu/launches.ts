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
const rowGroups = (value: LaneValue, file: string): Launch => ({ ...groups(64, ({ rows }) => rows, file), value });

const up = (n: number, step: number): number => Math.ceil(n / step);
/** Sides of the tiles that products can be computed by, one a workgroup of as many lanes, and the file of each. */
const productFiles = { 32: "matmulNarrow", 64: "matmul", 128: "matmulWide" } as const;
export const productTiles = [32, 64, 128] as const;
export type ProductTile = (typeof productTiles)[number];
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
/** Queries or keys of a workgroup of attention, as its files have it. */
const attentionRows = (rows: number, headDim: number): number => (rows <= 8 ? 8 : rows <= 16 || headDim > 64 ? 16 : 32);
const ofQueries = ({ groups, heads, lq, headDim }: Sizes): number => groups * heads * up(lq, attentionRows(lq, headDim));
const ofKeys = ({ groups, heads, lk, headDim }: Sizes): number => groups * heads * up(lk, attentionRows(lk, headDim));
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
  matmul: (sizes, tileOf) => {
    const side = tileOf(sizes);
    return [groups(256, (own) => tiles(own, side), "matmulTiles", productFiles[side])];
  },
  packHalves: () => [elements(({ n }) => up(n, 2), "packHalves")],
  unpackHalves: () => [elements(({ n }) => n, "unpackHalves")],
  packPanels: () => [elements(({ n, k }) => 16 * up(n, 16) * k, "packPanels")],
  attention: () => [groups(64, ofQueries, "attentionTiles", "attention")],
  attentionGrad: () => [
    groups(64, ofQueries, "attentionTiles", "attentionGradTiles", "attentionGradQueries"),
    groups(64, ofKeys, "attentionTiles", "attentionGradTiles", "attentionGradKeys"),
  ],
  softmax: () => [rowGroups("f32", "softmax")],
  softmaxGrad: () => [rowGroups("vec2f", "softmaxGrad")],
  layerNorm: () => [rowGroups("f32", "layerNorm")],
  layerNormGrad: () => [rowGroups("vec3f", "layerNormGrad")],
  layerNormSums: ({ rows, rowsPerGroup }) => [
    groups(
      lanesOfSums,
      (own) => up(rows, rowsPerGroup) * up(own.columns, columnsOfSums(Math.min(rows, rowsPerGroup))),
      "layerNormSums",
    ),
  ],
  rmsNorm: () => [rowGroups("f32", "rmsNorm")],
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
