/** What a WebGPU device does while shaders compile, on a GPU that is made up. */
import { expect, it, vi } from "vitest";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Slot, Storage } from "../../src/backend/device.js";
import { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { Order } from "../../src/backend/webgpu/order.js";
import { DeviceError } from "../../src/base/errors.js";
import { fakeGpu } from "./fakeGpu.js";

const turn = () => new Promise((resolve) => setTimeout(resolve));
const fill = (storage: Storage, value: number): KernelCall<Slot> => ({
  kernel: "fill",
  args: { y: { storage, offset: 0 }, n: 4, value },
});

it("an order does at once what need not wait, and all else one after the other", async () => {
  const [done, failed]: [string[], unknown[]] = [[], []];
  const order = new Order((error) => failed.push(error));
  expect([order.tell(() => done.push("a")), order.waiting, done]).toEqual([undefined, undefined, ["a"]]);
  let ready: () => void = () => undefined;
  const told = [
    order.tell(
      () => done.push("b"),
      new Promise<void>((resolve) => {
        ready = resolve;
      }),
    ),
    order.tell(() => {
      done.push("c");
      throw new Error("c is wrong");
    }),
    order.tell(() => done.push("d")),
  ];
  await turn();
  expect(done).toEqual(["a"]);
  ready();
  await Promise.all(told);
  expect([done, failed, order.waiting]).toEqual([["a", "b", "c", "d"], [new Error("c is wrong")], undefined]);
  expect(order.tell(() => done.push("e"))).toBeUndefined();
});

it("a run waits until its shaders have compiled, and what comes after it keeps its place", async () => {
  const { gpu, adapter, events, compiling, mapping } = fakeGpu();
  const device = new WebGpuDevice(gpu, adapter, "a test's");
  const storage = device.allocate(4, "a test's memory");
  const [first, second] = [device.load([fill(storage, 1)]), device.load([fill(storage, 2)])];
  expect(compiling.length).toBe(2);
  events.length = 0;
  const numbers = Float32Array.of(5, 5, 5, 5);
  device.write({ storage, offset: 0 }, numbers, "f32");
  first.run();
  numbers.fill(6);
  device.write({ storage, offset: 0 }, numbers, "f32");
  numbers.fill(7); // too late
  second.run();
  const reading = device.read({ storage, offset: 0 }, 4, "f32");
  const settled = device.settled();
  first.dispose();
  await turn();
  expect(events).toEqual(["write 5"]);
  compiling[1].keep({ label: "second" });
  await turn();
  expect(events).toEqual(["write 5"]);
  compiling[0].keep({ label: "first" });
  await vi.waitFor(() => expect(mapping.length).toBe(1));
  expect(events).toEqual(["write 5", "submit first", "write 6", "submit second", "submit copy", "map", "destroy buffer"]);
  mapping[0].keep();
  expect(await reading).toEqual(new Float32Array(4));
  await settled;

  // Nothing compiles any more: all is done at once.
  events.length = 0;
  second.run();
  device.write({ storage, offset: 0 }, numbers, "f32");
  expect(events).toEqual(["submit second", "write 7"]);
  // Nor does what is loaded again.
  device.load([fill(storage, 1)]).run();
  expect([compiling.length, events.at(-1)]).toEqual([2, "submit first"]);
});

it("a shader that does not compile ends the next read, and what settles, with its text", async () => {
  const { gpu, adapter, events, compiling, mapping } = fakeGpu();
  const scope = vi.fn(async () => ({ message: "Error while parsing WGSL:\n :3:10 error: no such name" }));
  const device = new WebGpuDevice({ ...gpu, popErrorScope: scope }, adapter, "a test's");
  const storage = device.allocate(4, "a test's memory");
  const executable = device.load([fill(storage, 1)]);
  executable.run();
  const reading = device.read({ storage, offset: 0 }, 4, "f32");
  compiling[0].breakWith(new Error("Invalid ShaderModule"));
  await vi.waitFor(() => expect(mapping.length).toBe(1));
  mapping[0].keep();
  const said =
    "webgpu: a shader does not compile: Error while parsing WGSL: :3:10 error: no such name. Start a new device, or one of another kind";
  await expect(reading).rejects.toThrow(said);
  await expect(device.settled()).rejects.toThrow(DeviceError);
  expect(() => executable.run()).toThrow(said);
  expect(events.filter((event) => event.startsWith("submit"))).toEqual(["submit copy"]);
});

it("a read sees what was told before it, and nothing that was told after", async () => {
  const { gpu, adapter, events, compiling, mapping } = fakeGpu();
  const device = new WebGpuDevice(gpu, adapter, "a test's");
  const storage = device.allocate(4, "a test's memory");
  const executable = device.load([fill(storage, 1)]);
  const slot = { storage, offset: 0 };
  const step = (value: number) => {
    device.write(slot, Float32Array.of(value, 0, 0, 0), "f32");
    executable.run();
    return [device.read(slot, 4, "f32"), device.read(slot, 1, "f32")];
  };
  const order = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => [`write ${from + i}`, "submit fill", "submit copy+copy"]).flat();
  events.length = 0;
  // While shaders compile, and when they have: in one turn of the event loop, whose reads would else be one.
  const reading = [...step(1), ...step(2)];
  await turn();
  expect(events).toEqual(["write 1"]);
  compiling[0].keep({ label: "fill" });
  await vi.waitFor(() => expect(mapping.length).toBe(2));
  expect(events.filter((event) => event !== "map")).toEqual(order(1, 2));
  events.length = 0;
  reading.push(...step(3), ...step(4));
  device.release(storage);
  await vi.waitFor(() => expect(mapping.length).toBe(4));
  expect(events.filter((event) => event !== "map" && !event.startsWith("destroy"))).toEqual(order(3, 4));
  for (const own of mapping) own.keep();
  expect((await Promise.all(reading)).map(({ length }) => length)).toEqual([4, 1, 4, 1, 4, 1, 4, 1]);
});

it("reads that are more together than a buffer of the adapter holds are copied into several", async () => {
  const { gpu, adapter, events, mapping, buffers } = fakeGpu({ maxBufferSize: 20_000 });
  const device = new WebGpuDevice(gpu, adapter, "a test's");
  const storage = device.allocate(4000, "a test's memory");
  const reads = Array.from({ length: 3 }, () => device.read({ storage, offset: 0 }, 2000, "f32"));
  await vi.waitFor(() => expect(mapping.length).toBe(2));
  expect(events.filter((event) => event !== "map")).toEqual(["submit copy+copy", "submit copy"]);
  for (const own of mapping) own.keep();
  expect((await Promise.all(reads)).map(({ length }) => length)).toEqual([2000, 2000, 2000]);
  expect([...buffers].map(({ size }) => size)).toEqual([16_000, 16_384, 8192]);
});
