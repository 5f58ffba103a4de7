/** onnxruntime-web on WebAssembly: `node onnxruntime-web.mjs THREADS`. It runs forward passes; it does not train in this form. */
import { createRequire } from "node:module";
import { fixtureNumbers, randomNumbers, relativeError, workloadNumbers } from "./data.mjs";
import { predict } from "./model.mjs";
import { Graph } from "./onnx.mjs";
import { serve } from "./protocol.mjs";

const threads = Number(process.argv[2] ?? 1);

await serve(async () => {
  const require = createRequire(import.meta.url);
  const ort = require("onnxruntime-web");
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";

  /** A function that runs a model; inputs are { name: { data, shape } }. */
  async function session(graph, output, inputs) {
    const own = await ort.InferenceSession.create(graph.model(output), { executionProviders: ["wasm"] });
    const feed = {};
    for (const name of own.inputNames) feed[name] = new ort.Tensor("float32", inputs[name].data, inputs[name].shape);
    return async () => Object.values(await own.run(feed))[0].data;
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
    const fixture = fixtureNumbers();
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
      return session(graph, y, { x: { data: randomNumbers(m * k, 1), shape: [m, k] } });
    }
    const shape = [what.rows, what.columns];
    const x = graph.input("x", shape);
    const y = graph.ops[what.kind === "softmax" ? "softmax" : "norm"](x);
    return session(graph, y, { x: { data: randomNumbers(what.rows * what.columns, 1), shape } });
  }

  return { peer: "onnxruntime-web", version: ort.env.versions.web, threads, check, prepare };
});
