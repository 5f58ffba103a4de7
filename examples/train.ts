// Trains a small PT-DiT on emoji from the library, then draws one: npx tsx examples/train.ts
import { writeFile } from "node:fs/promises";
import { wasm } from "ptdit";
import { Tokenizer } from "ptdit/data";
import { defaultTraining, flowConfig, Generator, presets, Trainer } from "ptdit/model";
import { loadDataset } from "ptdit/node";
import { encodePng, fromPlanar } from "ptdit/pictures";

const device = await wasm();
const data = await loadDataset("emoji:64", { size: 32 });
const tokenizer = Tokenizer.fromCaptions(data.captions);
const flow = flowConfig({ ratio: 4 });
const trainer = new Trainer(device, data, tokenizer, { model: presets.nano.config, flow, training: defaultTraining });

const steps = 300;
trainer.plan(steps);
while (trainer.step < steps) {
  const { step, loss } = await trainer.next();
  if (step % 20 === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
}

const generator = new Generator(device, trainer.average, flow, data.size);
const picture = await generator.pictures([data.captions[0] ?? ""], { steps: 30, guidance: 3 });
await writeFile("sample.png", await encodePng(fromPlanar(picture, data.size, data.size)));
console.log(`drew "${data.captions[0]}" to sample.png`);
device.close();
