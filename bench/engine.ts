/**
 * Our own engine as a program that `ptdit bench` starts and times: `node engine.js THREADS [VECTORS]`, speaking the protocol of
 * `protocol.ts`.
 */

import { performance as nodePerformance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { layerNorm } from "../src/autograd/ops/layerNorm.js";
import { meanSquareLoss } from "../src/autograd/ops/losses.js";
import { matmul, matmulNT, matmulTN } from "../src/autograd/ops/matmul.js";
import { softmax } from "../src/autograd/ops/softmax.js";
import { parameter, type Tensor } from "../src/autograd/tensor.js";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { wasm } from "../src/backend/wasm/device.js";
import { messageOf } from "../src/base/errors.js";
import { Seed } from "../src/nn/init.js";
import { MLP } from "../src/nn/layers.js";
import { adamW, gradientsOf } from "../src/nn/optimizers/index.js";
import type { Update } from "../src/program/updates.js";
import { presetOf } from "../src/ptdit/presets.js";
import { buildWorkload } from "../src/ptdit/workload.js";
import { opCases } from "./cases.js";
import { gainPreset } from "./gain.js";
import { measureLimits } from "./limits.js";
import { measureOverhead } from "./overhead.js";
import type { Answer, Case, Request } from "./protocol.js";
import { median } from "./race.js";
import { programRunner, type Runner } from "./runner.js";

const say = (line: object): void => console.log(JSON.stringify(line));
const [threads, vectors] = process.argv.slice(2);
const device = await wasm({ threads: Number(threads), ...(vectors ? { vectors: vectors as Vectors } : {}) }).catch(
  (error: Error) => {
    say({ missing: error.message });
    process.exit();
  },
);
let current: Runner | undefined;

async function timed(run: () => unknown, repeats: number): Promise<number> {
  const from = performance.now();
  for (let i = 0; i < repeats; i++) await run();
  return (performance.now() - from) / repeats;
}

const layouts = { NN: matmul, NT: matmulNT, TN: matmulTN };
const filled = (shape: readonly number[]): Tensor =>
  parameter(shape, () => new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(0.5));
const kept = (value: Tensor): Update[] => [[parameter(value.shape), value]];

async function prepare(what: Case): Promise<Runner> {
  switch (what.kind) {
    case "matmul": {
      const { m, n, k, layout = "NN", batch = 1 } = what;
      const lead = batch > 1 ? [batch] : [];
      return programRunner(
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
      return programRunner(device, adamW(gradientsOf(loss, model.parameters()), { lr: 0.01 }).updates);
    }
    case "softmax":
      return programRunner(device, kept(softmax(filled([what.rows, what.columns]))));
    case "layerNorm":
      return programRunner(device, kept(layerNorm(filled([what.rows, what.columns]), { eps: 1e-6 })));
    case "op": {
      const spec = opCases[what.name];
      if (!spec) throw new Error(`no op "${what.name}"`);
      return programRunner(device, spec.updates());
    }
    case "workload": {
      const preset = gainPreset(what.name) ?? presetOf(what.name);
      const { model, mode, batch: wanted } = what;
      const workload = buildWorkload(device, preset, { model, mode, ...(wanted && { batch: wanted }) });
      const gflop = (2 * workload.program.multiplyAdds) / 1e9;
      const { batch, compileMs, program } = workload;
      return {
        cost: { gflop, batch, compileMs, arenaBytes: program.bytes.arena },
        run: () => timed(() => workload.run(), 1),
        dispose: () => workload.dispose(),
      };
    }
  }
}

async function answer(request: Request): Promise<Answer | undefined> {
  if ("prepare" in request) {
    current?.dispose();
    current = undefined;
    current = await prepare(request.prepare);
    return { prepared: true, ...current.cost };
  }
  if ("run" in request) {
    if (!current) return { unsupported: "nothing is prepared" };
    const times: number[] = [];
    for (let i = 0; i < request.run; i++) times.push(await current.run());
    return { times };
  }
  if ("peak" in request) return { peak: median(Array.from({ length: 10 }, () => device.peakFlops(1))) };
  if ("limits" in request) return { limits: measureLimits(device) };
  if ("overhead" in request) return { overhead: await measureOverhead(device) };
  if ("rss" in request) return { rss: 1024 * process.resourceUsage().maxRSS };
  return undefined;
}

// Before that, Node itself starts.
const startMs = performance.now() - nodePerformance.nodeTiming.bootstrapComplete;
say({ ready: true, peer: "ptdit", version: process.versions.node, threads: device.threads, startMs });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const own = await answer(JSON.parse(line) as Request);
    if (!own) break;
    say(own);
  } catch (error) {
    say({ unsupported: messageOf(error) });
  }
}
device.close();
