// Fits a small network to y = sin x: npx tsx examples/mlp.ts
import { compile, input, meanSquareLoss, wasm } from "ptdit";
import { adamW, gradientsOf, MLP, Seed } from "ptdit/nn";

const device = await wasm();
const model = new MLP({ width: 1, hidden: 32, out: 1 }, new Seed(0));
const [x, y] = [input([64, 1]), input([64, 1])];
const loss = meanSquareLoss(model.forward(x), y);
const { updates } = adamW(gradientsOf(loss, model.parameters()), { lr: 0.01, weightDecay: 0 });
const step = compile(device, { inputs: { x, y }, outputs: { loss }, updates });

for (let i = 1; i <= 2000; i++) {
  const points = Float32Array.from({ length: 64 }, () => (Math.random() * 2 - 1) * Math.PI);
  const result = await step.run({ x: points, y: points.map(Math.sin) });
  if (i % 400 === 0) console.log(`step ${i}: loss ${result.loss.item().toExponential(2)}`);
}
device.close();
