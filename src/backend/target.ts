import type { KernelCall } from "./calls.js";

/** Sizes of a matrix product: C [m, n] = op(A) op(B), k summed; `batch` of them. */
export interface ProductSizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** How a device would rather compute a product. */
export interface ProductForm {
  /** Equal parts of the summed axis, multiplied as a batch and added up; 1: as it stands. */
  readonly parts: number;
  /** How a B that stays the same for many runs is kept, made once: as it is, in the panels of the kernel `packPanels`, or as halves of
   *  32 bits (`packHalves`). */
  readonly heldB: "plain" | "panels" | "halves";
}

/** Where a place is: memory whose addresses say nothing of other memory's, and an element of it. */
export interface Location {
  readonly memory: object;
  readonly offset: number;
}
export type Locate<B> = (place: B) => Location;

/** What a device likes: how programs for it are made. Numbers that follow from sizes alone, so that the same program is made
 *  whatever the number of threads. Nothing above the backend carries a constant that one device wanted. */
export interface Target {
  /** Buffers in a storage start at whole multiples of this. */
  readonly alignmentBytes: number;
  /** A storage holds no more than this. */
  readonly largestStorageBytes: number;
  /** What a group of fused elementwise nodes may hold: values read from memory, and nodes. */
  readonly group: { readonly reads: number; readonly nodes: number };
  /** Rows of a partial sum when [outer, rows, inner] is reduced over its rows. */
  chunkRows(outer: number, rows: number, inner: number): number;
  /** Numbers of a partial sum when all of a tensor is summed beside other tensors. */
  readonly chunkOfAll: number;
  productForm(sizes: ProductSizes): ProductForm;
  /** Whether what `call` reads must stay until `next` is done, since the device does parts of `next` meanwhile.
   *  `same`: whether two buffers are one place in memory. */
  keepsOperands<B>(call: KernelCall<B>, next: KernelCall<B>, same: (a: B, b: B) => boolean): boolean;
  /** Runs whose numbers may be waited for at once; 1 where a run is done when it returns. More keep a device that computes beside the
   *  host from standing still while the host hears of a run and prepares the next. */
  readonly runsInFlight: number;
  /** The order in which the device had better be given calls, as lists of those that it runs at once: none of a list writes what another
   *  touches. Left out: as they come, one after the other. */
  schedule?<B>(calls: readonly KernelCall<B>[], locate: Locate<B>): readonly (readonly number[])[];
  /** Largest errors of a verification, by the measure of `ptdit verify`: forward values, and gradients. */
  readonly tolerances: { readonly outputs: number; readonly gradients: number };
}
