/** Numbers for a model: random ones for a workload, or those of the fixture `image`. */
import { readFixture } from "#host";
import { parameterShapes, sizesOf } from "./model.mjs";

const count = (shape) => shape.reduce((product, n) => product * n, 1);

/** Normal numbers by Box and Muller's transform of a linear congruential sequence. */
export function randomNumbers(length, seed, deviation = 1) {
  let state = (seed * 2654435761 + 1) >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length },
    () => deviation * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** { sizes, weights: { name: { shape, data } }, inputs: { name: { shape, data } } } of a workload. */
export function workloadNumbers({ geometry, model }) {
  const sizes = sizesOf(geometry);
  const weights = {};
  for (const [i, [name, shape]] of Object.entries(parameterShapes(sizes, model)).entries()) {
    const deviation = shape.length > 1 ? count(shape.slice(1)) ** -0.5 : 0.02;
    weights[name] = { shape, data: randomNumbers(count(shape), i + 1, deviation) };
  }
  const { batch, channels, side, captionTokens, captionChannels } = sizes;
  const pixels = batch * channels * side * side;
  const times = Float32Array.from({ length: batch }, (_, i) => (1000 * (i + 0.5)) / batch);
  const raw = {
    x: randomNumbers(pixels, 1001),
    x0: randomNumbers(pixels, 1002),
    noise: randomNumbers(pixels, 1003),
    caption: randomNumbers(batch * captionTokens * captionChannels, 1004),
  };
  return { sizes, weights, inputs: inputsOf(sizes, raw, times) };
}

/** The fixture `image` likewise, with { loss, gradients: { name: data }, out } to compare with. */
export async function fixtureNumbers() {
  const { tensors, metadata } = readSafetensors(await readFixture());
  const config = JSON.parse(metadata.config);
  const [batch, channels, , side] = tensors["in.x_t"].shape;
  const [, captionTokens, captionChannels] = tensors["in.caption"].shape;
  const sizes = sizesOf({
    heads: config.num_heads,
    headDim: config.head_dim,
    depth: config.num_layers,
    patch: config.patch_size,
    window: config.compress_ratios,
    batch,
    channels,
    side,
    captionTokens,
    captionChannels,
  });
  const weights = {};
  const gradients = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.startsWith("w.") && name !== "w.pos_embed.pos_embed") weights[name.slice(2)] = tensor;
    if (name.startsWith("g.")) gradients[name.slice(2)] = tensor.data;
  }
  const data = (name) => tensors[`in.${name}`].data;
  const raw = { x: data("x_t"), x0: data("x0"), noise: data("noise"), caption: data("caption") };
  const whole = tensors["out.model"].data;
  const per = channels * side * side;
  // The model answers with twice the channels; the prediction is the first half.
  const out = Float32Array.from({ length: batch * per }, (_, i) => whole[2 * per * Math.floor(i / per) + (i % per)]);
  return { sizes, weights, inputs: inputsOf(sizes, raw, data("t")), loss: tensors["out.loss"].data[0], gradients, out };
}

function inputsOf(sizes, { x, x0, noise, caption }, times) {
  const { batch, channels, side, captionTokens, captionChannels, tokens, width, windows, perWindow } = sizes;
  const picture = [batch, channels, side, side];
  return {
    x: { shape: picture, data: x },
    x0: { shape: picture, data: x0 },
    noise: { shape: picture, data: noise },
    caption: { shape: [batch, captionTokens, captionChannels], data: caption },
    time: { shape: [batch, 256], data: timeFeatures(times) },
    positions: { shape: [1, tokens, width], data: positionTable(sizes) },
    bias: { shape: [1, windows, 1, perWindow, perWindow], data: shiftBias(sizes) },
  };
}

/** [cos, sin] of each time at 128 frequencies. */
function timeFeatures(times) {
  const features = new Float32Array(times.length * 256);
  times.forEach((time, row) => {
    for (let k = 0; k < 128; k++) {
      const angle = time * 10000 ** (-k / 128);
      features[row * 256 + k] = Math.cos(angle);
      features[row * 256 + 128 + k] = Math.sin(angle);
    }
  });
  return features;
}

/** Positions of a picture's tokens: a quarter of the width for the frame (always 0), three eighths each for column and row. */
function positionTable({ width, grid, tokens }) {
  const table = new Float32Array(tokens * width);
  const put = (token, from, parts, position) => {
    for (let k = 0; k < parts / 2; k++) {
      const angle = position * 10000 ** (-k / (parts / 2));
      table[token * width + from + k] = Math.sin(angle);
      table[token * width + from + parts / 2 + k] = Math.cos(angle);
    }
  };
  const [quarter, rest] = [width / 4, (3 * width) / 8];
  for (let token = 0; token < tokens; token++) {
    put(token, 0, quarter, 0);
    put(token, quarter, rest, token % grid);
    put(token, quarter + rest, rest, Math.floor(token / grid));
  }
  return table;
}

/** What shifted windows add to their scores: -10000 between tokens that were not neighbours before the shift. */
function shiftBias({ grid, rows, columns, windows, perWindow }) {
  const region = (at, size) => (size < 2 || at < grid - size ? 0 : at < grid - (size >> 1) ? 1 : 2);
  const bias = new Float32Array(windows * perWindow * perWindow);
  for (let window = 0; window < windows; window++) {
    const [top, left] = [Math.floor(window / (grid / columns)) * rows, (window % (grid / columns)) * columns];
    const label = (i) => 3 * region(top + Math.floor(i / columns), rows) + region(left + (i % columns), columns);
    for (let a = 0; a < perWindow; a++) {
      for (let b = 0; b < perWindow; b++) bias[(window * perWindow + a) * perWindow + b] = label(a) === label(b) ? 0 : -10000;
    }
  }
  return bias;
}

function readSafetensors(bytes) {
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + headerLength));
  const { __metadata__: metadata, ...entries } = JSON.parse(header);
  const tensors = {};
  for (const [name, { shape, dtype, data_offsets: offsets }] of Object.entries(entries)) {
    const own = new Uint8Array(bytes.subarray(...offsets.map((offset) => 8 + headerLength + offset)));
    tensors[name] = { shape, data: new (dtype === "I32" ? Int32Array : Float32Array)(own.buffer) };
  }
  return { tensors, metadata };
}

const largest = (numbers) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Largest difference of two lists over the largest number of the wanted one, which counts as `least` at least. */
export function relativeError(got, want, least = 0) {
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i] - want[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst / Math.max(largest(want), least);
}

/** The worst relative error of a loss and of gradients by name. Gradients a thousand times smaller than the largest count as that. */
export function worstError({ loss, gradients }, fixture) {
  const least = 1e-3 * Math.max(...Object.values(fixture.gradients).map(largest));
  const errors = Object.entries(fixture.gradients).map(([name, want]) => relativeError(gradients[name], want, least));
  return Math.max(relativeError([loss], [fixture.loss]), ...errors);
}
