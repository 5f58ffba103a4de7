/** What of WebGPU's cases is checked in a browser: known to the test and to its worker. */

/** Each has a page of its own. */
export const parts = ["kernels", "ops", "fixtures", "training"] as const;
export type Part = (typeof parts)[number];

/** What came of one name: how many cases, and what was wrong with them. */
export interface Checked {
  readonly checked: number;
  readonly faults: readonly string[];
}
