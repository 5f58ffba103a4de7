/** Layers and an optimiser: a small network learns, with the build of the kernels that is the same everywhere. */
import { compile, input, meanSquareLoss, wasm } from "ptdit";
import { adamW, gradientsOf, MLP, Seed } from "ptdit/nn";

globalThis.found.nn = (async () => {
  const device = await wasm({ threads: 1, vectors: "simd" });
  const model = new MLP({ width: 1, hidden: 8, out: 1 }, new Seed(0));
  const [x, y] = [input([4, 1]), input([4, 1])];
  const loss = meanSquareLoss(model.forward(x), y);
  const { updates } = adamW(gradientsOf(loss, model.parameters()), { lr: 0.05 });
  const step = await compile(device, { inputs: { x, y }, outputs: { loss }, updates });
  const losses = [];
  for (let i = 0; i < 20; i++) losses.push((await step.run({ x: [0, 1, 2, 3], y: [0, 1, 0, 1] })).loss.item());
  device.close();
  return { losses };
})();
