/** What a WebGPU device says when its GPU is lost or its driver finds fault, on a GPU that is made up. */
import { expect, it, vi } from "vitest";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Slot } from "../../src/backend/device.js";
import { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { DeviceError } from "../../src/base/errors.js";
import { fakeGpu } from "./fakeGpu.js";

const cure = "Start a new device, or one of another kind; a run goes on from its checkpoint.";

/** A device with memory and calls that have compiled. */
async function opened() {
  const fake = fakeGpu();
  const quick = { ...fake.gpu, createComputePipelineAsync: async () => ({ label: "fill" }) };
  const device = new WebGpuDevice(quick, fake.adapter, "a test's");
  const storage = device.allocate(4, "a test's memory");
  const call: KernelCall<Slot> = { kernel: "fill", args: { y: { storage, offset: 0 }, n: 4, value: 1 } };
  const executable = device.load([call]);
  await device.settled();
  return { ...fake, device, executable, storage, read: () => device.read({ storage, offset: 0 }, 4, "f32") };
}

it.each([
  ["the driver was reset", "the GPU was lost (the driver was reset)"],
  ["", "the GPU was lost (unknown)"],
])(
  "a GPU that is lost by itself, with the message %j, ends all that is under way and all that comes",
  async (message, said) => {
    const { device, executable, storage, read, lost, mapping } = await opened();
    executable.run();
    const reading = read();
    await vi.waitFor(() => expect(mapping.length).toBe(1));
    lost.keep({ reason: "unknown", message });
    mapping[0].breakWith(new Error("the mapping was aborted"));
    const error = new DeviceError(`webgpu: ${said}. ${cure}`);
    await expect(reading).rejects.toThrow(error);
    expect(() => executable.run()).toThrow(error);
    expect(() => device.allocate(4, "more")).toThrow(error);
    await expect(device.settled()).rejects.toThrow(error);
    // What a program leaves behind can still be given back.
    executable.dispose();
    device.release(storage);
    device.close();
    expect(() => executable.run()).toThrow("webgpu: the device is closed");
  },
);

it("a device that is destroyed is closed", async () => {
  const { executable, lost } = await opened();
  lost.keep({ reason: "destroyed", message: "the device was destroyed" });
  await vi.waitFor(() => expect(() => executable.run()).toThrow("webgpu: the device is closed. Start a new one."));
});

it("the first fault that the driver reports ends the next read, and all that comes", async () => {
  const { device, executable, read, fault, mapping } = await opened();
  executable.run();
  const reading = read();
  fault("the binding is too small");
  fault("the command buffer is invalid");
  await vi.waitFor(() => expect(mapping.length).toBe(1));
  mapping[0].keep();
  const error = new DeviceError(`webgpu: the binding is too small. ${cure}`);
  await expect(reading).rejects.toThrow(error);
  expect(() => executable.run()).toThrow(error);
  await expect(device.settled()).rejects.toThrow(error);
});
