import { type DeviceOptions, withDevice } from "./device.js";

/** `ptdit info`: what would run a program here, and why. */
export async function info(options: DeviceOptions): Promise<void> {
  await withDevice(options, async (device) => {
    const { device: name, details } = device.describe();
    console.log(
      [`device: ${name}`, ...details, `engine: Node ${process.versions.node} (V8 ${process.versions.v8})`].join("\n"),
    );
  });
}
