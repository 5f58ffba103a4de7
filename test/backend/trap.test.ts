import { expect, it } from "vitest";
import { wasm } from "../../src/backend/wasm/device.js";
import { DeviceError } from "../../src/base/errors.js";

it.each([1, 2, 3])(
  "a kernel that traps on any of %i threads ends the run and the device, and nobody waits for it",
  async (threads) => {
    const device = await wasm({ threads });
    const storage = device.allocate(1 << 20, "a buffer");
    // Of so many numbers the first thread's share lies in the memory, and the last one's beyond its end.
    const run = (n: number) => device.load([{ kernel: "fill", args: { y: { storage, offset: 0 }, n, value: 1 } }]).run();
    run(1 << 20);
    expect(() => run(1 << 24)).toThrow(DeviceError);
    expect(() => run(1)).toThrow(/closed/);
  },
);
