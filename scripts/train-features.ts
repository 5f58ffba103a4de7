/**
 * Makes `models/features/emoji.safetensors`, the network behind KID, of emoji:core; on one thread, the same bits each time, in five
 * minutes of a core:
 *
 *     npx tsx scripts/train-features.ts [steps] [file]
 *
 * Two views of a picture, moved, turned, mirrored and lit otherwise, are to have features that are nearer to each other than to those of
 * the other pictures of the batch. No view is blurred or noisy: the network is to see such faults, not to overlook them. Every eighth
 * picture is kept from it, to see whether what it has learned holds for others.
 * @source Chen et al., arXiv 2002.05709 (the loss, NT-Xent)
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeHalf, encodeHalf } from "../src/base/halfPrecision.js";
import { hashName, uniformNumbers } from "../src/base/random.js";
import { add, compile, constant, crossEntropy, input, matmulNT, mul, rmsNorm, wasm, writeParameter } from "../src/index.js";
import { writeSafetensors } from "../src/io/safetensors.js";
import { adamW, gradientsOf, MLP, Seed, type StateEntry, warmupCosine } from "../src/nn/index.js";
import { loadEmoji } from "../src/node/emoji.js";
import { resizeArea } from "../src/pictures/resize.js";
import { FeatureNet, featureCount, featureKind, featureSide } from "../src/ptdit/quality/featureNet.js";

const [, , steps = 1000, at = fileURLToPath(new URL("../models/features/emoji.safetensors", import.meta.url))] = process.argv;
const [batch, lr, temperature, projected] = [64, 2e-3, 0.2, 64];
/** Sides of the pictures that runs are trained on: all views of a step are of one of them. */
const sides = [64, 48, 32];
const picture = 3 * featureSide ** 2;

/** A view of a picture: moved and scaled by an eighth, turned by up to 15 degrees, mirrored half of the times, its channels lit otherwise.
 *  @shape from [3, featureSide, featureSide] -> to, the same; chance [8] in 0..1 */
function view(from: Float32Array, to: Float32Array, chance: Float64Array): void {
  const spread = (part: number, reach: number): number => (2 * part - 1) * reach;
  const [angle, zoom] = [spread(chance[0], Math.PI / 12), 1 + spread(chance[1], 1 / 8)];
  const [across, down] = [spread(chance[2], featureSide / 8), spread(chance[3], featureSide / 8)];
  const mirrored = chance[4] < 0.5 ? -1 : 1;
  const middle = (featureSide - 1) / 2;
  const [cos, sin] = [Math.cos(angle) / zoom, Math.sin(angle) / zoom];
  const last = featureSide - 1;
  const gains = [5, 6, 7].map((i) => 1 + spread(chance[i], 0.15));
  for (let row = 0; row < featureSide; row++) {
    for (let column = 0; column < featureSide; column++) {
      const [x, y] = [mirrored * (column - middle), row - middle];
      // Beyond its border a picture goes on as it ends.
      const u = Math.min(last, Math.max(0, middle + across + cos * x - sin * y));
      const v = Math.min(last, Math.max(0, middle + down + sin * x + cos * y));
      const [left, top] = [Math.min(last - 1, Math.floor(u)), Math.min(last - 1, Math.floor(v))];
      const [a, b] = [u - left, v - top];
      for (let channel = 0; channel < 3; channel++) {
        const i = (channel * featureSide + top) * featureSide + left;
        const above = (1 - a) * from[i] + a * from[i + 1];
        const below = (1 - a) * from[i + featureSide] + a * from[i + featureSide + 1];
        // Light is from 0 on, the engine's numbers from -1 on.
        const lit = gains[channel] * ((1 - b) * above + b * below + 1) - 1;
        to[(channel * featureSide + row) * featureSide + column] = Math.min(1, Math.max(-1, lit));
      }
    }
  }
}

/** Pictures at another side, seen by the network.  @shape pictures [n, 3, featureSide, featureSide] -> the same */
function seenAt(pictures: Float32Array, side: number): Float32Array {
  if (side === featureSide) return pictures;
  const result = new Float32Array(pictures.length);
  for (let i = 0; i < pictures.length; i += picture) {
    const small = resizeArea(pictures.subarray(i, i + picture), 3, featureSide, featureSide, side);
    result.set(resizeArea(small, 3, side, side, featureSide), i);
  }
  return result;
}

const data = await loadEmoji("emoji:core", featureSide);
const one = (i: number): Float32Array => data.pictures.subarray(i * picture, (i + 1) * picture);
const places = [...data.captions.keys()];
const [learned, kept] = [places.filter((i) => i % 8 !== 0), places.filter((i) => i % 8 === 0)];

/** Two views of each picture.  @shape -> [2n, 3, featureSide, featureSide]: the first views, then the second */
function viewsOf(which: readonly number[], stream: string, step: number): Float32Array {
  const views = new Float32Array(2 * which.length * picture);
  const chances = uniformNumbers(16 * which.length, step, hashName(stream));
  for (let i = 0; i < 2 * which.length; i++)
    view(one(which[i % which.length]), views.subarray(i * picture, (i + 1) * picture), chances.subarray(8 * i, 8 * i + 8));
  return seenAt(views, sides[step % sides.length]);
}

/** As many of the pictures that are learned as a batch has, in an order of the step's.  @shape -> [batch] */
function drawn(step: number): number[] {
  const order = uniformNumbers(learned.length, step, hashName("order"));
  return learned
    .map((place, i) => [order[i], place] as const)
    .sort(([a], [b]) => a - b)
    .slice(0, batch)
    .map(([, place]) => place);
}

// Builds that may fuse products and sums give other bits on other machines.
const device = await wasm({ threads: 1, vectors: "simd" });
const net = new FeatureNet(new Seed(1));
const head = new MLP({ width: featureCount, hidden: 128, out: projected }, new Seed(1, "head"));
const views = input([2 * batch, 3, featureSide, featureSide]);
const rate = input([]);
// Of length 1.
const z = mul(rmsNorm(head.forward(rmsNorm(net.means(views)))), projected ** -0.5); // [2 batch, projected]
const rows = [...Array(2 * batch).keys()];
const own = Float32Array.from({ length: 4 * batch ** 2 }, (_, i) => (i % (2 * batch + 1) === 0 ? -1e9 : 0));
const likeness = add(mul(matmulNT(z, z), 1 / temperature), constant(own, [2 * batch, 2 * batch])); // [2 batch, 2 batch]
const loss = crossEntropy(
  likeness,
  constant(
    Int32Array.from(rows, (i) => (i + batch) % (2 * batch)),
    [2 * batch],
  ),
);
const trained = new Map([
  ...net.parameters((name) => name.startsWith("stages")),
  ...[...head.parameters()].map(([name, x]) => [`head.${name}`, x] as const),
]);
const { updates } = adamW(gradientsOf(loss, trained), { lr: rate, weightDecay: 0.01 });
const step = compile(device, { inputs: { views, rate }, outputs: { loss }, updates });
const schedule = warmupCosine({ lr, warmup: 50, steps: Number(steps) });
const begun = performance.now();
let sum = 0;
for (let i = 0; i < Number(steps); i++) {
  const { loss } = await step.run({ views: viewsOf(drawn(i), "views", i), rate: [schedule(i)] });
  sum += loss.item();
  if ((i + 1) % 100 === 0) {
    console.log(`step ${i + 1}: loss ${(sum / 100).toFixed(3)}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    sum = 0;
  }
}
step.dispose();

/** What a program makes of many pictures.  @shape pictures [n, 3, featureSide, featureSide] -> n of [featureCount] */
async function numbersOf(network: FeatureNet, pictures: Float32Array, of: "means" | "forward"): Promise<Float32Array[]> {
  const x = input([1, 3, featureSide, featureSide]);
  const program = compile(device, { inputs: { x }, outputs: { y: network[of](x) } });
  const result: Float32Array[] = [];
  for (let i = 0; i < pictures.length; i += picture)
    result.push(Float32Array.from((await program.run({ x: pictures.subarray(i, i + picture) })).y.data));
  program.dispose();
  return result;
}

/** Sets what takes means to mean 0 and variance 1. */
async function centred(network: FeatureNet): Promise<void> {
  const means: Float32Array[] = [];
  for (const side of sides) means.push(...(await numbersOf(network, seenAt(data.pictures, side), "means")));
  const average = (f: (row: Float32Array) => number) => means.reduce((all, row) => all + f(row), 0) / means.length;
  const centre = Float32Array.from({ length: featureCount }, (_, i) => average((row) => row[i]));
  const deviation = Float32Array.from(centre, (c, i) => Math.sqrt(average((row) => (row[i] - c) ** 2)));
  const least = Math.max(...deviation) * 1e-3;
  console.log(`channels that hardly say anything: ${deviation.filter((d) => d < least).length} of ${featureCount}`);
  const half = (values: Float32Array) => decodeHalf(encodeHalf(values));
  writeParameter(device, network.centre, half(centre));
  writeParameter(device, network.scale, half(deviation.map((d) => 1 / Math.max(d, least))));
}

/** Part of the pictures kept apart whose second view is, of all second views, the one nearest to the first. */
function found(numbers: readonly ArrayLike<number>[]): string {
  const half = numbers.length / 2;
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
    return sum;
  };
  let hits = 0;
  for (let i = 0; i < half; i++) {
    const right = apart(numbers[i], numbers[half + i]);
    if (numbers.slice(half).every((other, j) => j === i || apart(numbers[i], other) > right)) hits++;
  }
  return `${((100 * hits) / half).toFixed(1)} %`;
}

const halves: [string, StateEntry][] = [...(await net.state(device))].map(([name, { shape, data }]) => [
  name,
  { shape, data: decodeHalf(encodeHalf(Float32Array.from(data))) },
]);
net.load(new Map(halves), device);
await centred(net);
const untrained = new FeatureNet(new Seed(2));
await centred(untrained);
const others = viewsOf(kept, "kept", 0);
const pixels = Array.from({ length: 2 * kept.length }, (_, i) => others.subarray(i * picture, (i + 1) * picture));
console.log(
  `of ${kept.length} pictures kept apart the other view is found by features of ${found(await numbersOf(net, others, "forward"))}, ` +
    `by an untrained network's of ${found(await numbersOf(untrained, others, "forward"))}, by pixels of ${found(pixels)}`,
);

const state = await net.state(device);
mkdirSync(dirname(at), { recursive: true });
const about = "made by scripts/train-features.ts from emoji:core (Noto Emoji, Apache-2.0)";
writeFileSync(at, writeSafetensors(state, { kind: featureKind, about, steps: String(steps) }, { dtype: "F16" }));
device.close();
