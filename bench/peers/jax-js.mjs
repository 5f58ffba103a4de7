/** jax-js with its WebAssembly backend, compiled by its `jit`. `node jax-js.mjs workers` gives it Node's threads as a browser's
 *  workers, without which it has one thread on Node. In a page, `webgpu` gives it its WebGPU backend. */
import { installWorkers, words } from "#host";
import { fixtureNumbers, randomNumbers, workloadNumbers, worstError } from "./data.mjs";
import { lossOf, predict } from "./model.mjs";
import { serve } from "./protocol.mjs";

const [word] = words;
const backend = word === "webgpu" ? "webgpu" : "wasm";

await serve(async () => {
  const threads = word === "workers" ? installWorkers() : 1;
  const jax = await import("@jax-js/jax");
  const { default: manifest } = await import("./node_modules/@jax-js/jax/package.json", { with: { type: "json" } });
  const { numpy: np, nn, jit, tree, valueAndGrad, blockUntilReady } = jax;
  if (!(await jax.init(backend)).includes(backend)) throw new Error(`it has no ${backend} here`);
  jax.defaultDevice(backend);

  /** Its functions consume their operands. Everything made between start and end is let go there, but for what is kept. */
  let made = [];
  const own = (x) => {
    made.push(x);
    return x;
  };
  function scoped(body) {
    const before = made;
    made = [];
    const result = body().ref;
    for (const x of made) x.dispose();
    made = before;
    return result;
  }
  /** An op on borrowed operands. */
  const op =
    (f) =>
    (...operands) =>
      own(f(...operands));
  const broadcast = (method) => op((a, b) => a.ref[method](b.ref));
  const matmul = op((a, b) => np.matmul(a.ref, b.ref));
  const lastTwo = (x) => [...x.shape.keys()].slice(0, -2).concat(x.shape.length - 1, x.shape.length - 2);
  const ops = {
    add: broadcast("add"),
    sub: broadcast("sub"),
    mul: broadcast("mul"),
    scaled: op((x, s) => x.ref.mul(s)),
    shifted: op((x, s) => x.ref.add(s)),
    reshape: op((x, shape) => x.ref.reshape(shape)),
    transpose: op((x, order) => np.transpose(x.ref, order)),
    matmul,
    matmulNT: op((a, b) => np.matmul(a.ref, np.transpose(b.ref, lastTwo(b)))),
    linear: op((x, weight, bias) => np.matmul(x.ref, np.transpose(weight.ref)).add(bias.ref)),
    softmax: op((x) => nn.softmax(x.ref, -1)),
    norm: op((x) => {
      const centred = x.ref.sub(np.mean(x.ref, -1, { keepdims: true }));
      const variance = np.mean(centred.ref.mul(centred.ref), -1, { keepdims: true });
      return centred.div(np.sqrt(variance.add(1e-6)));
    }),
    gelu: op((x) => nn.gelu(x.ref, { approximate: true })),
    silu: op((x) => nn.silu(x.ref)),
    mean: op((x, axis) => np.mean(x.ref, axis)),
    slice: op((x, axis, from, to) => x.ref.slice(...Array.from({ length: axis }, () => []), [from, to])),
    concat: op((list, axis) =>
      np.concatenate(
        list.map((x) => x.ref),
        axis,
      ),
    ),
  };

  const array = (data, shape) => np.array(data, { shape, dtype: np.float32 });
  const arrays = (named) => Object.fromEntries(Object.entries(named).map(([k, { data, shape }]) => [k, array(data, shape)]));
  const consuming = (f) => (w, data) => {
    const result = scoped(() => f(w, data));
    tree.dispose(w);
    tree.dispose(data);
    return result;
  };

  async function check() {
    const fixture = await fixtureNumbers();
    const loss = consuming((w, data) => lossOf(ops, w, data, fixture.sizes, "ptdit"));
    const [value, gradients] = jit((w, data) => valueAndGrad(loss)(w, data))(arrays(fixture.weights), arrays(fixture.inputs));
    const got = {};
    for (const name of Object.keys(gradients)) got[name] = await gradients[name].data();
    return worstError({ loss: (await value.data())[0], gradients: got }, fixture);
  }

  const [rate, decay, beta1, beta2, eps] = [1e-4, 0.01, 0.9, 0.999, 1e-8];
  /** AdamW; `corrections` are 1 / (1 - βᵗ), an array so that a step is compiled once. */
  const trainStep = (loss) => (state, data, corrections) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(state.w), data);
    const [c1, c2] = [corrections.ref.slice(0), corrections.slice(1)];
    const next = { w: {}, m: {}, v: {} };
    for (const name of Object.keys(state.w)) {
      const g = gradients[name];
      const m = state.m[name].mul(beta1).add(g.ref.mul(1 - beta1));
      const v = state.v[name].mul(beta2).add(g.ref.mul(g).mul(1 - beta2));
      const change = m.ref.mul(c1.ref).div(np.sqrt(v.ref.mul(c2.ref)).add(eps));
      next.w[name] = state.w[name].mul(1 - rate * decay).sub(change.mul(rate));
      next.m[name] = m;
      next.v[name] = v;
    }
    c1.dispose();
    c2.dispose();
    return [value, next];
  };

  function workload(what) {
    const { sizes, weights, inputs } = workloadNumbers(what);
    const w = arrays(weights);
    const data = arrays(inputs);
    if (what.mode === "forward") {
      const forward = jit(consuming((weight, given) => predict(ops, weight, given, sizes, what.model)));
      return async () => {
        await forward(tree.ref(w), tree.ref(data)).data();
      };
    }
    if (what.mode !== "train") return undefined;
    const loss = consuming((weight, given) => lossOf(ops, weight, given, sizes, what.model));
    const step = jit(trainStep(loss));
    const zeros = () => Object.fromEntries(Object.entries(w).map(([name, { shape }]) => [name, np.zeros(shape)]));
    let state = { w, m: zeros(), v: zeros() };
    let steps = 0;
    return async () => {
      steps++;
      const corrections = array(Float32Array.of(1 / (1 - beta1 ** steps), 1 / (1 - beta2 ** steps)), [2]);
      const [value, next] = step(state, tree.ref(data), corrections);
      state = next;
      // On a GPU the loss is read behind the whole step; to wait for each weight too would be hundreds of mapped buffers.
      if (backend !== "webgpu") await blockUntilReady(state);
      await value.data();
    };
  }

  async function prepare(what) {
    if (what.kind === "workload") return workload(what);
    const run = (make) => async () => {
      const y = make();
      await y.blockUntilReady();
      y.dispose();
    };
    if (what.kind === "matmul") {
      const { m, n, k } = what;
      const [a, b] = [array(randomNumbers(m * k, 1), [m, k]), array(randomNumbers(k * n, 2), [k, n])];
      return run(() => np.matmul(a.ref, b.ref));
    }
    const x = array(randomNumbers(what.rows * what.columns, 1), [what.rows, what.columns]);
    const rows = jit((given) => {
      const y = scoped(() => ops[what.kind === "softmax" ? "softmax" : "norm"](given));
      given.dispose();
      return y;
    });
    return run(() => rows(x.ref));
  }

  return { peer: "jax-js", version: manifest.version, threads, check, prepare };
});
