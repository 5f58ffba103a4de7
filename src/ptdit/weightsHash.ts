import { checkDevice, type Device } from "../backend/device.js";
import { ConfigError } from "../base/errors.js";
import { joined } from "../base/joined.js";
import { checkValue } from "../base/options.js";
import { Module } from "../nn/module.js";

/**
 * SHA-256 of a model's numbers on a device: those of all parameters in the order of their names, as little-endian float32. Two models
 * share it only if they share every bit.
 * @returns 64 hexadecimal digits
 * @throws ConfigError where the runtime has no Web Crypto: a page that came by plain http
 */
export async function weightsHash(device: Device, model: Module): Promise<string> {
  checkDevice("weightsHash", device);
  checkValue("weightsHash", "the model", model, { text: "a Module", holds: (value) => value instanceof Module });
  // Types promise it everywhere; pages that came by plain http lack it.
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined)
    throw new ConfigError("weightsHash: this runtime has no crypto.subtle. Open the page by https:// or from localhost.");
  const state = [...(await model.state(device))].sort(([a], [b]) => (a < b ? -1 : 1));
  const bytes = state.map(([, { data }]) => littleEndian(Float32Array.from(data)));
  const hash = new Uint8Array(await subtle.digest("SHA-256", joined(...bytes)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of numbers, whatever order the machine has. */
function littleEndian(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < numbers.length; i++) view.setFloat32(4 * i, numbers[i], true);
  return bytes;
}
