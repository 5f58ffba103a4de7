import { PlanningDevice } from "../planning.js";
import { joinsOf } from "./joins.js";
import { ofSlots } from "./places.js";
import { webgpuTarget } from "./target.js";

/** What adapters hold at least in one storage. @units bytes */
const portableStorage = 128 << 20;

/** Stands in for a WebGPU device: its programs, without a GPU. */
export const webgpuPlanning = (largestStorageBytes = portableStorage): PlanningDevice =>
  new PlanningDevice({
    name: "webgpu",
    bytesPerElement: 4,
    target: webgpuTarget(largestStorageBytes),
    intervals: (calls) => joinsOf(calls, ofSlots).length,
  });
