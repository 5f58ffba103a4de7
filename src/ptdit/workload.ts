/** The fixed workloads that benchmarks and profiles run: presets on random data, with captions of eight tokens. */
import { sub } from "../autograd/ops/elementwise.js";
import { mean } from "../autograd/ops/reduce.js";
import { releaseParameters } from "../autograd/parameters.js";
import { compile, type Program } from "../autograd/program.js";
import { input, type Tensor } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import { normalNumbers } from "../base/random.js";
import { adamW, gradientsOf } from "../nn/optimizers.js";
import { predicted, sampleLosses } from "./flow.js";
import { PTDiT } from "./model.js";
import type { Preset } from "./presets.js";

export interface WorkloadOptions {
  /** `ptdit`, or `dit`: full self-attention in place of GIIM and TCM. */
  readonly model?: "ptdit" | "dit";
  /** One forward pass, or a whole training step with AdamW. */
  readonly mode?: "forward" | "train";
  readonly batch?: number;
}

/** A compiled workload. */
export interface Workload {
  readonly program: Program;
  readonly feed: Readonly<Record<string, Float32Array>>;
  readonly batch: number;
  dispose(): void;
}

const captionTokens = 8;

/** Compiles a preset's workload for a device.
 *  @throws DeviceError when it does not fit */
export function buildWorkload(device: Device, preset: Preset, options: WorkloadOptions = {}): Workload {
  const { model: kind = "ptdit", mode = "train", batch = preset.batch } = options;
  const { config, side } = preset;
  const model = new PTDiT({ ...config, mixing: kind === "dit" ? "full" : "proxy" });
  const shape = [batch, config.inChannels, 1, side, side];
  const inputs: Record<string, Tensor> = { x: input(shape), t: input([batch]) };
  if (config.captionChannels !== null) {
    inputs.caption = input([batch, captionTokens, config.captionChannels]);
    inputs.keep = input([batch, captionTokens]);
  }
  if (config.classes > 0) inputs.labels = input([batch], "i32");
  const out = model.forward(inputs as { x: Tensor; t: Tensor });
  const program = mode === "forward" ? compile(device, { inputs, outputs: { out } }) : compileStep();
  const feed = Object.fromEntries(
    Object.entries(inputs).map(([name, { size }], i) => [name, Float32Array.from(normalNumbers(size, 1, i))]),
  );
  // Time strides over 0..1000, every caption token counts, and labels are class 0.
  feed.t = Float32Array.from({ length: batch }, (_, i) => (1000 * (i + 0.5)) / batch);
  feed.keep?.fill(1);
  feed.labels?.fill(0);
  return {
    program: program as Program,
    feed,
    batch,
    dispose: () => {
      program.dispose();
      releaseParameters(device, model.parameters().values());
    },
  };

  function compileStep() {
    const [x0, noise] = [input(shape), input(shape)];
    Object.assign(inputs, { x0, noise });
    const loss = mean(sampleLosses(predicted(out, config.inChannels), sub(x0, noise)));
    const { updates } = adamW(gradientsOf(loss, model.parameters()), { lr: 1e-4 });
    return compile(device, { inputs, outputs: { loss }, updates });
  }
}
