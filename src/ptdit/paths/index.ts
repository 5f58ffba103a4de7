/** The ways from noise to data, by the name of what a model predicts. */
import { keysOf } from "../../base/options.js";
import { epsilon } from "./epsilon.js";
import { flow } from "./flow.js";
import type { Path } from "./path.js";
import { v } from "./v.js";
import { x } from "./x.js";

export type { Path } from "./path.js";

export const paths = { flow, x, v, epsilon } satisfies Readonly<Record<string, Path>>;

/** What a model predicts. */
export type Prediction = keyof typeof paths;

/** Names of the paths. */
export const predictions = keysOf(paths);
