/**
 * Measures what KID and novelty make of pictures whose faults are known, and of drawings of the model that comes with the package; keeps
 * it in docs/measured/quality.json, from which `npm run docs` writes. Some minutes of a core:
 *
 *     npx tsx scripts/measure-quality.ts
 */
import { writeFileSync } from "node:fs";
import { evenly } from "../src/base/evenly.ts";
import { wasm } from "../src/index.ts";
import { loadFeatureNet } from "../src/node/features.ts";
import { loadDataset, loadModel } from "../src/node/index.ts";
import { Generator } from "../src/ptdit/generate.ts";
import { averagedPipeline } from "../src/ptdit/index.ts";
import { featuresOf } from "../src/ptdit/quality/featuresOf.ts";
import { kid } from "../src/ptdit/quality/kid.ts";
import { quality } from "../src/ptdit/quality/quality.ts";
import { faultsOf } from "./faults.ts";
import { measuredPath } from "./measured.ts";
import type { MeasuredQuality, QualityRow } from "./qualityDoc.ts";

const model = "emoji";
/** Captions that are drawn. */
const captions = 256;
/** @units levels of 255; a picture's range of 2 has as many */
const [little, much] = [38, 102];
const deviation = (levels: number): number => levels / 127.5;

const saved = await loadModel(model);
const { flow, size, sampling, data: source } = saved.run;
const set = await loadDataset(source, { size });
const numbers = 3 * size ** 2;
const real = [...set.captions.keys()].map((i) => set.pictures.subarray(i * numbers, (i + 1) * numbers));
// One thread and one build: the same bits on every machine.
const device = await wasm({ threads: 1, vectors: "simd" });
const net = await loadFeatureNet();
const joined = (pictures: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(pictures.length * numbers);
  for (const [i, picture] of pictures.entries()) all.set(picture, i * numbers);
  return all;
};

const seen = await featuresOf(device, net, real, size);
const every = (remainder: number) => seen.slice(0, 2 * Math.floor(seen.length / 2)).filter((_, i) => i % 2 === remainder);
const rows: QualityRow[] = [{ name: "real pictures, one half beside the other", kid: kid(every(0), every(1)), novelty: null }];
const add = async (name: string, samples: Float32Array, places?: readonly number[]) => {
  rows.push({ name, ...(await quality(device, net, samples, set, places)) });
  console.log(JSON.stringify(rows[rows.length - 1]));
};
const faults = faultsOf(real, size);
await add("mirrored", joined(faults.mirrored()));
await add("another style", joined(faults.styled()));
await add("blur of 3 pixels", joined(faults.blurred(1)));
await add("blur of 5 pixels", joined(faults.blurred(2)));
await add(`noise of ${little} levels`, joined(faults.noisy(deviation(little))));
await add(`noise of ${much} levels`, joined(faults.noisy(deviation(much))));

const places = evenly(set.count, captions);
const generator = new Generator(device, averagedPipeline(saved), flow, size, sampling);
const drawn = await generator.pictures(
  places.map((i) => set.captions[i]),
  { seed: 0, streams: places },
);
await add(`drawings of the model ${model}`, drawn, places);
generator.dispose();
device.close();

const measured: MeasuredQuality = { data: set.name, size, pictures: set.count, rows };
writeFileSync(measuredPath("quality"), `${JSON.stringify(measured)}\n`);
