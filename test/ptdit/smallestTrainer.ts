/** A trainer of the smallest model that has all of PT-DiT, on noise. */
import type { Device } from "../../src/backend/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

export const captions = ["red apple", "green tree", "blue car"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const tokenizer = Tokenizer.fromCaptions(captions);
const model = ptditConfig({ heads: 1, headDim: 16, depth: 1, patch: 4, sampleSize: 8, captionChannels: 16 });

export const smallestTrainer = (device: Device): Trainer =>
  new Trainer(device, data, tokenizer, {
    model,
    flow: flowConfig(),
    training: { ...defaultTraining, batch: 2, warmup: 3 },
  });
