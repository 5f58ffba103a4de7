/**
 * ptdit: a reverse-mode autodiff engine on WebAssembly, and PT-DiT on it. Layers are in `ptdit/nn`, the model in `ptdit/model`.
 * @module ptdit
 */

export {
  type CustomContext,
  type CustomGradient,
  type CustomOp,
  customGradient,
  customOps,
  type GradientExample,
} from "./autograd/customGradient.js";
export { grad } from "./autograd/grad.js";
export * from "./autograd/ops/index.js";
export { checkpoint, constant, type DType, input, parameter, scope, Tensor } from "./autograd/tensor.js";
export type { Choice } from "./backend/choice.js";
export type { Device, DeviceDescription } from "./backend/device.js";
export { type Fastest, type FastestOptions, fastestDevice, type StepOf, type TimedStep } from "./backend/fastest.js";
export type { HostArray, NestedNumbers } from "./backend/host.js";
export { ReferenceDevice, reference } from "./backend/reference/device.js";
export type { KernelSource, Vectors } from "./backend/wasm/binary.js";
export { WasmDevice, type WasmOptions, wasm } from "./backend/wasm/device.js";
export type { WebGpuDevice } from "./backend/webgpu/device.js";
export { type WebGpuOptions, webgpu } from "./backend/webgpu/open.js";
export * from "./base/errors.js";
export type { Shape } from "./base/shape.js";
export type { Anatomy, Operand, PlacedCall } from "./program/anatomy.js";
export type { RunInputs } from "./program/feed.js";
export * from "./program/gradcheck.js";
export { readParameter, releaseParameters, writeParameter } from "./program/parameters.js";
export {
  compile,
  type NonFinite,
  Program,
  type ProgramBytes,
  type ProgramStep,
  read,
} from "./program/program.js";
export type { Region, Stay, Stretch } from "./program/regions.js";
export { type GraphOptions, showGraph } from "./program/showGraph.js";
export { showPlan } from "./program/showPlan.js";
export type { ProgramSpec } from "./program/spec.js";
export type { Update } from "./program/updates.js";
export { Value } from "./program/value.js";
