import { input } from "../../autograd/tensor.js";
import { checkDevice, type Device } from "../../backend/device.js";
import { checkValue, type Rule, whole } from "../../base/options.js";
import { resizeArea } from "../../pictures/resize.js";
import { compile } from "../../program/program.js";
import { FeatureNet, featureCount, featureSide } from "./featureNet.js";

/** Pictures that the network sees at once. */
const batch = 32;

export const netRule: Rule = { text: "a FeatureNet", holds: (value) => value instanceof FeatureNet };

/** @throws ConfigError when one of them is not what features are made with */
export function checkFeaturing(where: string, device: Device, net: FeatureNet): void {
  checkDevice(where, device);
  checkValue(where, "the network", net, netRule);
}

/**
 * Features of pictures. What is lighter than white counts as white; a picture with a number that is not finite has features that are not.
 * @shape pictures n of [3, side, side] -> n of [featureCount]
 * @units pictures: -1..1
 * @throws ConfigError when one of them is not such a picture
 */
export async function featuresOf(
  device: Device,
  net: FeatureNet,
  pictures: readonly Float32Array[],
  side: number,
): Promise<readonly Float64Array[]> {
  checkFeaturing("features", device, net);
  checkValue("features", "side", side, whole(1));
  checkValue("features", "the pictures", pictures, {
    text: `a list of Float32Arrays of 3 x ${side} x ${side} numbers`,
    holds: (value) => Array.isArray(value) && value.every((one) => one instanceof Float32Array && one.length === 3 * side ** 2),
  });
  const numbers = 3 * featureSide ** 2;
  const seen = new Float32Array(batch * numbers);
  const x = input([batch, 3, featureSide, featureSide]);
  const program = compile(device, { inputs: { x }, outputs: { features: net.forward(x) } });
  try {
    const result: Float64Array[] = [];
    for (let from = 0; from < pictures.length; from += batch) {
      const here = pictures.slice(from, from + batch);
      for (const [i, picture] of here.entries()) {
        const drawn = picture.map((value) => Math.min(1, Math.max(-1, value)));
        seen.set(resizeArea(drawn, 3, side, side, featureSide), i * numbers);
      }
      const { data } = (await program.run({ x: seen })).features; // [batch, featureCount]
      for (const i of here.keys()) result.push(Float64Array.from(data.subarray(i * featureCount, (i + 1) * featureCount)));
    }
    return result;
  } finally {
    program.dispose();
  }
}
