/** Our own engine on WebGPU, as a worker of the page that `ptdit bench --device webgpu` opens: it speaks the protocol of `protocol.ts`. */
import { isSoftware, nameOf, openGpu } from "../src/backend/webgpu/adapters.js";
import { openAdapter } from "../src/backend/webgpu/device.js";
import { DeviceError, messageOf } from "../src/base/errors.js";
import { programRates } from "./limits.js";
import { answering } from "./prepare.js";
import type { Answer, Ready, Request } from "./protocol.js";

/** As jax-js asks for it, so that all compute on one adapter. */
const powerPreference = "high-performance";

async function start(): Promise<Ready> {
  const gpu = await openGpu();
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (!adapter) throw new DeviceError("the browser has no WebGPU adapter");
  const device = await openAdapter(adapter, powerPreference);
  const answer = answering(device, async (request) => ("rates" in request ? { rates: await programRates(device) } : undefined));
  addEventListener("message", async ({ data }: MessageEvent<Request>) => {
    const own: Answer = (await answer(data)) ?? { unsupported: "this is asked on WASM alone" };
    postMessage(own);
  });
  const version = navigator.userAgent.match(/Chrom\w*\/[\d.]+/)?.[0] ?? navigator.userAgent;
  return { ready: true, peer: "ptdit", version, threads: 1, adapter: { name: nameOf(adapter), software: isSoftware(adapter) } };
}

postMessage(await start().catch((error: unknown) => ({ missing: messageOf(error) })));
