import { div } from "../../autograd/ops/elementwise.js";
import { mean } from "../../autograd/ops/reduce.js";
import type { Tensor } from "../../autograd/tensor.js";
import type { Device } from "../../backend/device.js";
import type { Target } from "../../backend/target.js";
import type { SafetensorsFile } from "../../io/safetensors.js";
import { readState } from "../../nn/module.js";
import { adamW, gradientsOf } from "../../nn/optimizers/index.js";
import { releaseParameters } from "../../program/parameters.js";
import { compile } from "../../program/program.js";
import { flowLosses } from "../losses.js";
import { paths } from "../paths/index.js";
import { releasedName } from "../stateDict.js";
import { modelFromFile, modelInputs, tensorOf } from "./fixture.js";
import { largest, type Numbers, type Report, relativeError } from "./report.js";

/** The losses of some steps of AdamW on one batch, and the weights after them. */
export async function verifyAdamW(
  file: SafetensorsFile,
  device: Device,
  report: Report,
  allowed: Target["tolerances"],
  { tensors, feed }: { tensors: Record<string, Tensor>; feed: Record<string, Numbers> },
): Promise<void> {
  const options = JSON.parse(file.metadata.adamw ?? "") as {
    lr: number;
    beta1: number;
    beta2: number;
    eps: number;
    weight_decay: number;
    steps: number;
  };
  const model = modelFromFile(file);
  const parameters = model.parameters();
  const named = new Map(Object.entries(tensors).map(([name, tensor]) => [name, { tensor }]));
  const inputs = modelInputs(named);
  const out = model.forward(inputs);
  const [x0, noise] = [tensors.x0, tensors.noise];
  const loss = mean(flowLosses(() => out, { x0, noise, u: div(inputs.t, 1000) }, paths.flow));
  const { lr, beta1, beta2, eps } = options;
  const optimizer = adamW(gradientsOf(loss, parameters), { lr, beta1, beta2, eps, weightDecay: options.weight_decay });
  const program = compile(device, { inputs: tensors, outputs: { loss }, updates: optimizer.updates });
  const losses: number[] = [];
  for (let step = 0; step < options.steps; step++) losses.push((await program.run(feed)).loss.item());
  const stored = tensorOf(file, "adamw.losses").data;
  report.add(
    "AdamW losses",
    "adamw.losses",
    relativeError(losses.slice(0, stored.length), stored, largest(stored)),
    allowed.outputs,
  );
  const state = await readState(device, parameters);
  for (const [name, { data }] of state) {
    const theirs = releasedName(name);
    // The gradient of a key's bias is exactly zero: AdamW normalises rounding noise there.
    if (theirs.endsWith("to_k.bias")) continue;
    const want = tensorOf(file, `adamw.w.${theirs}`).data;
    report.add("AdamW weights", theirs, relativeError(data, want, largest(want)), allowed.gradients);
  }
  program.dispose();
  releaseParameters(device, [...parameters.values(), ...optimizer.state.values()]);
}
