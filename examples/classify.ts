// Tells the two arms of a spiral apart: npx tsx examples/classify.ts
import { argMax, compile, crossEntropy, equal, input, mean, tanh, toF32, wasm } from "ptdit";
import { adamW, gradientsOf, MLP, Seed } from "ptdit/nn";

const count = 200;
const points = Array.from({ length: count }, (_, i) => {
  const [turn, side] = [0.5 + (2 * Math.PI * i) / count, i % 2 === 0 ? 1 : -1];
  return [side * turn * Math.cos(turn), side * turn * Math.sin(turn)];
});
const arms = Int32Array.from(points, (_, i) => i % 2);

const device = await wasm();
const model = new MLP({ width: 2, hidden: 64, out: 2 }, new Seed(0), tanh);
const [x, labels] = [input([count, 2]), input([count], "i32")];
const logits = model.forward(x); // [count, 2]
const loss = crossEntropy(logits, labels);
const accuracy = mean(equal(toF32(argMax(logits, -1)), toF32(labels)));
const { updates } = adamW(gradientsOf(loss, model.parameters()), { lr: 0.02, weightDecay: 0 });
const step = compile(device, { inputs: { x, labels }, outputs: { loss, accuracy }, updates });

for (let i = 1; i <= 2000; i++) {
  const result = await step.run({ x: points, labels: arms });
  if (i % 400 === 0)
    console.log(`step ${i}: loss ${result.loss.item().toFixed(4)}, right ${(100 * result.accuracy.item()).toFixed(1)} %`);
}
step.dispose();
device.close();
