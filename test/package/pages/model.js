/** PT-DiT: a step of training on two pictures, and a picture of what was trained. */
import { wasm } from "ptdit";
import { defaultTraining, flowConfig, Generator, ptditConfig, Tokenizer, Trainer } from "ptdit/model";

globalThis.found.model = (async () => {
  const device = await wasm();
  const captions = ["red", "blue"];
  const sample = async (index) => Float32Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i + index));
  const data = { name: "waves", count: 2, shape: [3, 1, 8, 8], captions, sample };
  const tokenizer = Tokenizer.fromCaptions(captions);
  const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });
  const flow = flowConfig();
  const trainer = new Trainer(device, data, tokenizer, { model, flow, training: { ...defaultTraining, batch: 2 } });
  trainer.plan(1);
  const { step, loss } = await trainer.next();
  const generator = new Generator(device, trainer.average, flow, 8);
  const picture = await generator.pictures(["red"], { steps: 2 });
  const { details } = device.describe();
  device.close();
  return { step, loss, numbers: picture.length, finite: picture.every(Number.isFinite), details };
})();
