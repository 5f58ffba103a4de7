import { grad } from "../../autograd/grad.js";
import { listen } from "../../autograd/notes.js";
import { div } from "../../autograd/ops/elementwise.js";
import { mean } from "../../autograd/ops/reduce.js";
import type { Tensor } from "../../autograd/tensor.js";
import type { Device } from "../../backend/device.js";
import type { Target } from "../../backend/target.js";
import { FormatError } from "../../base/errors.js";
import type { SafetensorsFile } from "../../io/safetensors.js";
import { releaseParameters } from "../../program/parameters.js";
import { compile } from "../../program/program.js";
import type { PTDiTConfig } from "../config.js";
import type { Geometry } from "../geometry.js";
import { flowLosses } from "../losses.js";
import { paths } from "../paths/index.js";
import { releasedName } from "../stateDict.js";
import { windowOrder } from "../windows.js";
import { verifyAdamW } from "./adamW.js";
import { fixtureInputs, modelFromFile, modelInputs } from "./fixture.js";
import { largest, type Numbers, type Report, relativeError } from "./report.js";
import { canonicalBias, shiftBias } from "./shiftBias.js";
import { stageName } from "./stages.js";

/** The model's outputs, stages, loss, and the gradient of every weight and input; where the file holds them, steps of AdamW. */
export async function verifyModel(
  file: SafetensorsFile,
  device: Device,
  report: Report,
  allowed: Target["tolerances"],
): Promise<void> {
  const model = modelFromFile(file);
  const parameters = model.parameters();
  const named = fixtureInputs(file);
  const inputs = modelInputs(named);
  const { result: out, notes } = listen(() => model.forward(inputs));
  const [x0, noise] = [named.get("x0")?.tensor, named.get("noise")?.tensor];
  if (!x0 || !noise) throw new FormatError('verify: a model case needs "in.x0" and "in.noise".');
  const loss = mean(flowLosses(() => out, { x0, noise, u: div(inputs.t, 1000) }, paths.flow));
  const inputGradients = [...file.tensors.keys()].filter((name) => name.startsWith("gin.")).map((name) => name.slice(4));
  const wanted = inputGradients.map((name) => named.get(name)?.tensor).filter((t) => t !== undefined);
  const gradients = grad(loss, [...parameters.values(), ...wanted]);

  const outputs: Record<string, Tensor> = { "out.model": out, "out.loss": loss };
  [...parameters.keys()].forEach((name, i) => {
    outputs[`g.${releasedName(name)}`] = gradients[i];
  });
  inputGradients.forEach((name, i) => {
    outputs[`gin.${name}`] = gradients[parameters.size + i];
  });
  for (const name of file.tensors.keys()) {
    const stage = name.startsWith("act.") ? notes.get(stageName(name.slice(4)) ?? "") : undefined;
    if (stage) outputs[name] = stage;
  }
  const feed = Object.fromEntries([...named].map(([name, { data }]) => [name, data]));
  const tensors = Object.fromEntries([...named].map(([name, { tensor }]) => [name, tensor]));
  const program = compile(device, { inputs: tensors, outputs });
  const values = await program.run(feed);
  program.dispose();

  const largestGradient = Math.max(
    ...[...file.tensors].filter(([name]) => name.startsWith("g.")).map(([, { data }]) => largest(data)),
    0,
  );
  const geometry = model.geometry(inputs.x);
  for (const [name, { data }] of file.tensors) {
    const group = name.slice(0, name.indexOf("."));
    if (group === "act" && name.endsWith("shift_bias")) {
      report.add("stages", name, relativeError(shiftBias(geometry.grid, model.config), canonicalBias(data), 1), 0);
    } else if (group === "out" || group === "act") {
      const own = values[name]?.data ?? [];
      const placed = group === "act" ? inFixtureOrder(name, own, geometry, model.config) : own;
      report.add(group === "out" ? "outputs" : "stages", name, relativeError(placed, data, largest(data)), allowed.outputs);
    } else if (group === "g" || group === "gin") {
      const scale = Math.max(largest(data), 1e-3 * largestGradient);
      report.add(
        group === "g" ? "gradients" : "input gradients",
        name,
        relativeError(values[name]?.data ?? [], data, scale),
        allowed.gradients,
      );
    }
  }
  releaseParameters(device, parameters.values());
  if (file.metadata.adamw) await verifyAdamW(file, device, report, allowed, { tensors, feed });
}

/** Our window order back to theirs, which does not keep a proxy's cell together. */
function inFixtureOrder(name: string, data: Numbers, { order, inverse, grid }: Geometry, config: PTDiTConfig): Numbers {
  const perToken = name === "act.tokens" || (name.startsWith("act.block0.") && !name.includes("proxy_"));
  if (!perToken) return data;
  const theirs =
    name === "act.tokens" ? Int32Array.from(order, (_, i) => i) : windowOrder(grid, config.window, config.window, "block");
  const tokens = order.length;
  const width = config.heads * config.headDim;
  const result = new Float64Array(data.length);
  for (let row = 0; row < data.length / width; row++) {
    const [sample, position] = [Math.floor(row / tokens), row % tokens];
    const from = (sample * tokens + inverse[theirs[position]]) * width;
    for (let d = 0; d < width; d++) result[row * width + d] = data[from + d];
  }
  return result;
}
