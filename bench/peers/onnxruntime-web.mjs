/** onnxruntime-web on WebAssembly: `node onnxruntime-web.mjs THREADS`, or with `webgpu` in a page. It runs forward passes; it does
 *  not train in this form. */
import { words } from "#host";
import { fixtureNumbers, randomNumbers, relativeError, workloadNumbers } from "./data.mjs";
import { predict } from "./model.mjs";
import { Graph } from "./onnx.mjs";
import { serve } from "./protocol.mjs";

const [word = "1"] = words;
const onGpu = word === "webgpu";
const threads = onGpu ? 1 : Number(word);

await serve(async () => {
  const ort = await import("#onnxruntime");
  ort.env.wasm.numThreads = threads;
  if (onGpu) ort.env.wasm.wasmPaths = { wasm: new URL("/onnxruntime.wasm", location.href).href };
  ort.env.logLevel = "error";

  const create = (graph, output, options) =>
    ort.InferenceSession.create(graph.model(output), { executionProviders: [onGpu ? "webgpu" : "wasm"], ...options });

  /** A function that runs a model on what it is handed, and reads what comes of it; inputs are { name: { data, shape } }. */
  async function session(graph, output, inputs) {
    const own = await create(graph, output);
    const feed = {};
    for (const name of own.inputNames) feed[name] = new ort.Tensor("float32", inputs[name].data, inputs[name].shape);
    return async () => Object.values(await own.run(feed))[0].data;
  }

  /** As `session`, with inputs and output that stay on the GPU, where there is one. */
  async function kept(graph, output, inputs) {
    if (!onGpu) return session(graph, output, inputs);
    const own = await create(graph, output, { preferredOutputLocation: "gpu-buffer" });
    const device = await ort.env.webgpu.device;
    const feed = {};
    for (const name of own.inputNames) {
      const { data, shape } = inputs[name];
      const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
      const buffer = device.createBuffer({ size: data.byteLength, usage: STORAGE | COPY_SRC | COPY_DST });
      device.queue.writeBuffer(buffer, 0, data);
      feed[name] = ort.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims: shape });
    }
    return async () => {
      const [y] = Object.values(await own.run(feed));
      await device.queue.onSubmittedWorkDone();
      y.dispose();
    };
  }

  function forward({ sizes, weights, inputs }, model) {
    const graph = new Graph();
    const constants = (named) =>
      Object.fromEntries(Object.entries(named).map(([k, { data, shape }]) => [k, graph.constant(data, shape)]));
    const { x, time, caption, positions, bias } = inputs;
    const given = { x, time, caption };
    const data = constants({ positions, bias });
    for (const [name, { shape }] of Object.entries(given)) data[name] = graph.input(name, shape);
    return session(graph, predict(graph.ops, constants(weights), data, sizes, model), given);
  }

  async function check() {
    const fixture = await fixtureNumbers();
    const run = await forward(fixture, "ptdit");
    return relativeError(await run(), fixture.out);
  }

  function prepare(what) {
    if (what.kind === "workload") return what.mode === "forward" ? forward(workloadNumbers(what), what.model) : undefined;
    const graph = new Graph();
    if (what.kind === "matmul") {
      const { m, n, k } = what;
      // The right operand is a constant, as weights are: it may be packed once.
      const x = graph.input("x", [m, k]);
      const y = graph.ops.matmul(x, graph.constant(randomNumbers(k * n, 2), [k, n]));
      return kept(graph, y, { x: { data: randomNumbers(m * k, 1), shape: [m, k] } });
    }
    const shape = [what.rows, what.columns];
    const x = graph.input("x", shape);
    const y = graph.ops[what.kind === "softmax" ? "softmax" : "norm"](x);
    return kept(graph, y, { x: { data: randomNumbers(what.rows * what.columns, 1), shape } });
  }

  return { peer: "onnxruntime-web", version: ort.env.versions.web, threads, check, prepare };
});
