/** Methods of going from noise to data, by name. */
import { keysOf } from "../../base/options.js";
import { ab2 } from "./ab2.js";
import { euler } from "./euler.js";
import { heun } from "./heun.js";
import type { Solver } from "./solver.js";

export type { Reading, Solver, StepGiven, StepRule, StepTaken } from "./solver.js";

export const solvers = { euler, heun, ab2 } satisfies Readonly<Record<string, Solver>>;

export type SolverName = keyof typeof solvers;

/** Names of the solvers. */
export const solverNames = keysOf(solvers);
