/** The engine: two steps down a square, on threads and in float64. */
import { compile, constant, grad, input, meanSquareLoss, mul, parameter, reference, sub, wasm } from "ptdit";

async function descend(device) {
  const w = parameter([3], [1, 2, 3]);
  const x = input([3]);
  const loss = meanSquareLoss(mul(w, x), constant([2, 2, 2]));
  const [slope] = grad(loss, [w]);
  const step = await compile(device, { inputs: { x }, outputs: { loss }, updates: [[w, sub(w, slope)]] });
  const losses = [];
  for (let i = 0; i < 2; i++) losses.push((await step.run({ x: [1, 0.5, 1] })).loss.item());
  return losses;
}

globalThis.found.index = (async () => {
  const device = await wasm({ threads: 2 });
  const found = { onThreads: await descend(device), inFloat64: await descend(reference()), threads: device.threads };
  device.close();
  return found;
})();
