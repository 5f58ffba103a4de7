import { PlanningDevice } from "../planning.js";
import { schedule } from "./schedule.js";
import { wasmTarget } from "./target.js";

/** Stands in for a WASM device: its programs, without its memory and threads. */
export const wasmPlanning = (): PlanningDevice =>
  new PlanningDevice({
    name: "wasm",
    bytesPerElement: 4,
    target: wasmTarget,
    intervals: (calls) => schedule(calls).filter((after) => after === "meet").length,
  });
