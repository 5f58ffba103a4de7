import { PlanningDevice } from "../planning.js";
import { referenceTarget } from "./device.js";

/** Stands in for a reference device: its programs, without their memory. */
export const referencePlanning = (): PlanningDevice =>
  new PlanningDevice({
    name: "reference",
    bytesPerElement: 8,
    target: referenceTarget,
    intervals: (calls) => calls.length,
  });
