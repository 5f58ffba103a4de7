/** What the bench times of our own engine, made for a device. */

import { layerNorm } from "../src/autograd/ops/layerNorm.js";
import { meanSquareLoss } from "../src/autograd/ops/losses.js";
import { matmul, matmulNT, matmulTN } from "../src/autograd/ops/matmul.js";
import { softmax } from "../src/autograd/ops/softmax.js";
import { parameter, type Tensor } from "../src/autograd/tensor.js";
import type { Device } from "../src/backend/device.js";
import { messageOf } from "../src/base/errors.js";
import { Seed } from "../src/nn/init.js";
import { MLP } from "../src/nn/layers.js";
import { adamW, gradientsOf } from "../src/nn/optimizers/index.js";
import type { Update } from "../src/program/updates.js";
import { buildWorkload } from "../src/ptdit/workload.js";
import { opCases } from "./cases.js";
import { benchPreset } from "./presets.js";
import type { Answer, Case, Request } from "./protocol.js";
import { awaitedRunner, type Runner } from "./runner.js";

const layouts = { NN: matmul, NT: matmulNT, TN: matmulTN };
const filled = (shape: readonly number[]): Tensor =>
  parameter(shape, () => new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(0.5));
const kept = (value: Tensor): Update[] => [[parameter(value.shape), value]];

function prepare(device: Device, what: Case): Runner {
  switch (what.kind) {
    case "matmul": {
      const { m, n, k, layout = "NN", batch = 1 } = what;
      const lead = batch > 1 ? [batch] : [];
      return awaitedRunner(
        device,
        kept(
          layouts[layout](
            filled([...lead, ...(layout === "TN" ? [k, m] : [m, k])]),
            filled([...lead, ...(layout === "NT" ? [n, k] : [k, n])]),
          ),
        ),
      );
    }
    case "mlp": {
      const model = new MLP({ width: 1, hidden: what.hidden, out: 1 }, new Seed(0));
      const loss = meanSquareLoss(model.forward(filled([64, 1])), filled([64, 1]));
      return awaitedRunner(device, adamW(gradientsOf(loss, model.parameters()), { lr: 0.01 }).updates);
    }
    case "softmax":
      return awaitedRunner(device, kept(softmax(filled([what.rows, what.columns]))));
    case "layerNorm":
      return awaitedRunner(device, kept(layerNorm(filled([what.rows, what.columns]), { eps: 1e-6 })));
    case "op": {
      const spec = opCases[what.name];
      if (!spec) throw new Error(`no op "${what.name}"`);
      return awaitedRunner(device, spec.updates());
    }
    case "workload": {
      const preset = benchPreset(what.name);
      const { model, mode, recipe, batch: wanted } = what;
      const workload = buildWorkload(device, preset, {
        model,
        mode,
        ...(recipe && { recipe }),
        ...(wanted && { batch: wanted }),
      });
      const gflop = (2 * workload.program.multiplyAdds) / 1e9;
      const { batch, compileMs, program } = workload;
      return {
        cost: { gflop, batch, compileMs, arenaBytes: program.bytes.arena },
        run: async () => {
          const from = performance.now();
          await workload.run();
          // A sampler's step reads nothing that would be waited for.
          await device.settled?.();
          return performance.now() - from;
        },
        dispose: () => workload.dispose(),
      };
    }
  }
}

/**
 * Answers what is asked of our engine on any device: to prepare a case, to run it.
 * @param others what else is answered; undefined ends the conversation
 */
export function answering(
  device: Device,
  others: (request: Request) => Answer | undefined | Promise<Answer | undefined>,
): (request: Request) => Promise<Answer | undefined> {
  let current: Runner | undefined;
  const answer = async (request: Request) => {
    if ("prepare" in request) {
      current?.dispose();
      current = undefined;
      current = prepare(device, request.prepare);
      return { prepared: true, ...current.cost } as const;
    }
    if ("run" in request) {
      if (!current) return { unsupported: "nothing is prepared" };
      const times: number[] = [];
      for (let i = 0; i < request.run; i++) times.push(await current.run());
      return { times };
    }
    return others(request);
  };
  return (request) => answer(request).catch((error: unknown) => ({ unsupported: messageOf(error) }));
}
