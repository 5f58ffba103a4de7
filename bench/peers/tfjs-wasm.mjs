/** TensorFlow.js with its WebAssembly backend. `node tfjs-wasm.mjs` takes it as it is; `node tfjs-wasm.mjs transposed` transposes the
 *  operands of products by hand, in the gradients too: the backend is quick only for untransposed ones. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fixtureNumbers, randomNumbers, workloadNumbers, worstError } from "./data.mjs";
import { lossOf, predict } from "./model.mjs";
import { serve } from "./protocol.mjs";

const byHand = process.argv[2] === "transposed";

await serve(async () => {
  const require = createRequire(import.meta.url);
  const tf = require("@tensorflow/tfjs");
  const backend = require("@tensorflow/tfjs-backend-wasm");
  backend.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend did not start");
  await tf.ready();

  const transposed = (x) => {
    const order = x.shape.map((_, axis) => axis);
    return tf.transpose(x, [...order.slice(0, -2), order.at(-1), order.at(-2)]);
  };
  const product = tf.customGrad((a, b, save) => {
    save([a, b]);
    const gradFunc = (dy, [x, y]) => [tf.matMul(dy, transposed(y)), tf.matMul(transposed(x), dy)];
    return { value: tf.matMul(a, b), gradFunc };
  });
  const matmul = byHand ? product : (a, b) => tf.matMul(a, b);
  const matmulNT = byHand ? (a, b) => product(a, transposed(b)) : (a, b) => tf.matMul(a, b, false, true);

  const norm = (x) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-6)));
  };
  const inner = (x) => tf.mul(tf.add(tf.mul(tf.mul(tf.mul(x, x), x), 0.044715), x), Math.sqrt(2 / Math.PI));
  const ops = {
    add: tf.add,
    sub: tf.sub,
    mul: tf.mul,
    scaled: tf.mul,
    shifted: tf.add,
    reshape: tf.reshape,
    transpose: tf.transpose,
    matmul,
    matmulNT,
    linear: (x, weight, bias) => tf.add(matmulNT(x, weight), bias),
    softmax: (x) => tf.softmax(x),
    norm,
    gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner(x)), 1)),
    silu: (x) => tf.mul(x, tf.sigmoid(x)),
    mean: (x, axis) => tf.mean(x, axis),
    slice: (x, axis, from, to) => {
      const begin = x.shape.map((_, i) => (i === axis ? from : 0));
      return tf.slice(
        x,
        begin,
        x.shape.map((n, i) => (i === axis ? to - from : n)),
      );
    },
    concat: tf.concat,
  };

  function load({ sizes, weights, inputs }, model) {
    const tensors = (named) =>
      Object.fromEntries(Object.entries(named).map(([k, { data, shape }]) => [k, tf.tensor(data, shape)]));
    const data = tensors(inputs);
    const parameters = Object.fromEntries(Object.entries(tensors(weights)).map(([k, x]) => [k, tf.variable(x)]));
    const list = Object.values(parameters);
    const names = new Map(Object.entries(parameters).map(([name, { name: own }]) => [own, name]));
    const loss = () => lossOf(ops, parameters, data, sizes, model);
    return { list, names, loss, predict: () => predict(ops, parameters, data, sizes, model) };
  }

  async function check() {
    const fixture = await fixtureNumbers();
    const { list, names, loss } = load(fixture, "ptdit");
    const { value, grads } = tf.variableGrads(loss, list);
    const gradients = {};
    for (const [own, gradient] of Object.entries(grads)) gradients[names.get(own)] = await gradient.data();
    return worstError({ loss: (await value.data())[0], gradients }, fixture);
  }

  /** Products and rows: kernels run at once, so that to be done is to have returned. */
  function discarding(make) {
    return () => make().dispose();
  }

  function workload(what) {
    const { list, loss, predict: forward } = load(workloadNumbers(what), what.model);
    if (what.mode === "forward") return discarding(() => tf.tidy(forward));
    if (what.mode !== "train") return undefined;
    // It has no AdamW: the decay is an assignment of its own.
    const [rate, decay] = [1e-4, 0.01];
    const adam = tf.train.adam(rate, 0.9, 0.999, 1e-8);
    return async () => {
      const { value, grads } = tf.variableGrads(loss, list);
      tf.tidy(() => {
        for (const variable of list) variable.assign(tf.mul(variable, 1 - rate * decay));
      });
      adam.applyGradients(grads);
      tf.dispose(grads);
      await value.data();
      value.dispose();
    };
  }

  async function prepare(what) {
    tf.disposeVariables();
    if (what.kind === "workload") return workload(what);
    if (what.kind === "matmul") {
      const { m, n, k } = what;
      const [a, b] = [tf.tensor(randomNumbers(m * k, 1), [m, k]), tf.tensor(randomNumbers(k * n, 2), [k, n])];
      return discarding(() => tf.matMul(a, b));
    }
    const x = tf.tensor(randomNumbers(what.rows * what.columns, 1), [what.rows, what.columns]);
    return discarding(() => tf.tidy(() => ops[what.kind === "softmax" ? "softmax" : "norm"](x)));
  }

  return {
    peer: `tfjs-wasm${byHand ? ", transposed by hand" : ""}`,
    version: tf.version.tfjs,
    threads: backend.getThreadsCount(),
    check,
    prepare,
  };
});
