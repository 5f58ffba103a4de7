import { input } from "../../autograd/tensor.js";
import type { Device } from "../../backend/device.js";
import type { SafetensorsFile } from "../../io/safetensors.js";
import { releaseParameters } from "../../program/parameters.js";
import { flowConfig } from "../flow.js";
import { Sampler } from "../sampler.js";
import { modelFromFile, tensorOf } from "./fixture.js";
import { largest, type Report, relativeError } from "./report.js";

/** What guided sampling makes of the file's noise in so many steps. */
export async function verifySampler(file: SafetensorsFile, device: Device, report: Report, tolerance: number): Promise<void> {
  const model = modelFromFile(file);
  const noise = tensorOf(file, "in.z");
  const pair = (name: string, other: string) => {
    const [cond, uncond] = [tensorOf(file, name), tensorOf(file, other)];
    const [batch, ...rest] = cond.shape;
    return { tensor: input([2 * batch, ...rest]), data: [...cond.data, ...uncond.data] };
  };
  const [caption, keep] = [pair("in.caption", "in.uncond"), pair("in.caption_mask", "in.uncond_mask")];
  for (const [name, { data }] of file.tensors) {
    const steps = Number(/^out\.steps(\d+)$/.exec(name)?.[1]);
    if (!steps) continue;
    const ratio = Number(file.metadata[`steps${steps}_ratio`] ?? 1);
    const sampler = new Sampler(
      device,
      (x, t) => model.forward({ x, t, caption: caption.tensor, keep: keep.tensor }),
      { caption: caption.tensor, keep: keep.tensor },
      { shape: noise.shape, flow: flowConfig({ ratio }), guided: true },
    );
    const run = { steps, guidance: Number(file.metadata.cfg_scale ?? 4), noise: noise.data };
    const own = await sampler.sample({ caption: caption.data, keep: keep.data }, run);
    sampler.dispose();
    report.add("samples", name, relativeError(own, data, largest(data)), tolerance);
  }
  releaseParameters(device, model.parameters().values());
}
