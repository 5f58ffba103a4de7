/** What Node's tests hold WebGPU to, in a worker of a browser: a part of it, which the query of its address names. */
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { webgpu } from "../../src/backend/webgpu/open.js";
import { messageOf } from "../../src/base/errors.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";
import { cases as opCases, toleranceOf } from "../autograd/cases.js";
import { errorsOn } from "../autograd/opErrors.js";
import { faultsOf, webgpuCases } from "../backend/webgpuCases.js";
import { smallestTrainer } from "../ptdit/smallestTrainer.js";
import type { Checked, Part } from "./gpuParts.js";

/** What there is to check, by name. */
type Checks = ReadonlyMap<string, (device: Device) => Promise<Checked>>;

function kernels(): Checks {
  const all = webgpuCases();
  const check = (kernel: string) => async (device: Device) => {
    const own = all.filter(({ call }) => call.kernel === kernel);
    // Products are many, and slow to compile; one in 5 has every layout.
    const chosen = kernel === "matmul" ? own.filter((_, i) => i % 5 === 0) : own;
    // All at once: their shaders compile beside each other.
    const faults = await Promise.all(chosen.map((one) => faultsOf(device, one)));
    return { checked: chosen.length, faults: faults.flat() };
  };
  return new Map(all.map(({ call }) => [call.kernel, check(call.kernel)]));
}

function ops(): Checks {
  const check = (op: string) => async (device: Device) => {
    const all = opCases.filter((one) => one.op === op);
    const chosen = all.flatMap((one) => one.shapes.map((shapes) => ({ one, shapes })));
    const faults = chosen.map(async ({ one, shapes }) => {
      const [errors] = await errorsOn([device], one, shapes);
      // As in Node: ops.test.ts.
      const most = toleranceOf(one);
      const wrong = errors.flatMap((error, i) => (error < most ? [] : [`output ${i} by ${error}, ${most} is allowed`]));
      return wrong.map((what) => `${op} ${JSON.stringify(shapes)}: ${what}`);
    });
    return { checked: chosen.length, faults: (await Promise.all(faults)).flat() };
  };
  return new Map(opCases.map(({ op }) => [op, check(op)]));
}

function fixtures(names: readonly string[]): Checks {
  const check = (name: string) => async (device: Device) => {
    const bytes = new Uint8Array(await (await fetch(`/fixtures/${name}`)).arrayBuffer());
    const groups = await verifyFixture(readSafetensors(bytes, name), device);
    const wrong = groups.filter(({ worst, tolerance }) => !(worst <= tolerance));
    return { checked: groups.length, faults: wrong.map(({ group, worst, at }) => `${name}: ${group} by ${worst} at ${at}`) };
  };
  return new Map(names.map((name) => [name, check(name)]));
}

function training(): Checks {
  const check = async (device: Device) => {
    const [own, other] = [smallestTrainer(device), smallestTrainer(await wasm())];
    for (const trainer of [own, other]) trainer.plan(10);
    const faults: string[] = [];
    for (let step = 1; step <= 10; step++) {
      const [{ loss }, { loss: want }] = [await own.next(), await other.next()];
      if (!(Math.abs(loss / want - 1) < 1e-3)) faults.push(`step ${step}: loss ${loss}, on WASM ${want}`);
    }
    return { checked: own.step, faults };
  };
  return new Map([["training", check]]);
}

async function run(): Promise<Record<string, Checked>> {
  const [part, ...words] = location.search.slice(1).split("&");
  const parts: Readonly<Record<Part, () => Checks>> = { kernels, ops, fixtures: () => fixtures(words), training };
  const device = await webgpu();
  const found: Record<string, Checked> = {};
  for (const [name, check] of parts[part as Part]())
    found[name] = await check(device).catch((error: unknown) => ({ checked: 0, faults: [messageOf(error)] }));
  device.close();
  return found;
}

postMessage(
  await run()
    .then((found) => ({ found }))
    .catch((error: unknown) => ({ error: messageOf(error) })),
);
