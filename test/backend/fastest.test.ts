/** Choosing a device: the decision by given times, and the measuring by devices, steps and a clock that are made up. */
import { describe, expect, it, vi } from "vitest";
import { choose } from "../../src/backend/choice.js";
import type { Device } from "../../src/backend/device.js";
import { type Contender, fastestDevice, fastestOf, type StepOf } from "../../src/backend/fastest.js";
import { reference } from "../../src/backend/reference/device.js";
import { isSoftware } from "../../src/backend/webgpu/adapters.js";
import { ConfigError, DeviceError } from "../../src/base/errors.js";
import type { GpuAdapter } from "../../src/base/gpu.js";

const gain = "a GPU gains little on a model as small as nano, and much from small up";

describe("a choice", () => {
  it("is the fastest, with the times of all", () => {
    expect(
      choose([
        { name: "wasm", ms: 31.4 },
        { name: "webgpu", ms: 55 },
      ]),
    ).toEqual({
      name: "wasm",
      why: `31 ms a step, webgpu 55 ms; ${gain}`,
    });
    expect(
      choose([
        { name: "wasm", ms: 31 },
        { name: "webgpu", ms: 2.04 },
      ]),
    ).toEqual({
      name: "webgpu",
      why: `2.0 ms a step, wasm 31 ms; ${gain}`,
    });
  });

  it("is the first of equal ones, and the first where none was timed", () => {
    expect(
      choose([
        { name: "wasm", ms: 5 },
        { name: "webgpu", ms: 5 },
      ]).name,
    ).toBe("wasm");
    expect(choose([{ name: "wasm" }, { name: "webgpu", without: "webgpu: no adapter was found" }])).toEqual({
      name: "wasm",
      why: "webgpu: no adapter was found",
    });
  });

  it("is the one that can take the step at all, and says why the other cannot", () => {
    expect(
      choose([
        { name: "wasm", without: "wasm: this program needs 5.1 GiB" },
        { name: "webgpu", ms: 9 },
      ]),
    ).toEqual({
      name: "webgpu",
      why: "9.0 ms a step; wasm: this program needs 5.1 GiB",
    });
  });
});

/** A device that is waited for, and what happens to it. */
function fake(name: string, events: string[]): { readonly device: Device; readonly contender: Contender } {
  const device: Device = Object.assign(reference(), {
    name,
    settled: async () => void events.push(`${name} settled`),
    close: () => void events.push(`${name} closed`),
  });
  return {
    device,
    contender: {
      name,
      open: async () => {
        events.push(`${name} opened`);
        return device;
      },
    },
  };
}
const absent = (name: string, error: Error): Contender => ({ name, open: () => Promise.reject(error) });

/** Steps that take so long each by a clock of their own; the first of each device as long as `first`. */
function made(ms: Readonly<Record<string, number>>, first = 100, steps = 1) {
  let time = 0;
  const runs: Record<string, number> = {};
  const disposed: string[] = [];
  const step: StepOf = ({ name }) => ({
    run: async () => {
      runs[name] = (runs[name] ?? 0) + 1;
      time += runs[name] === 1 ? first : ms[name];
    },
    steps,
    dispose: () => void disposed.push(name),
  });
  return { step, now: () => time, runs, disposed };
}

describe("the fastest of two devices", () => {
  it("is measured by a few runs after the first, and the other is closed", async () => {
    const events: string[] = [];
    const [cpu, gpu] = [fake("wasm", events), fake("webgpu", events)];
    const { step, now, runs, disposed } = made({ wasm: 300, webgpu: 20 });
    const { device, name, why } = await fastestOf(cpu.contender, gpu.contender, step, now);
    expect([device, name, why]).toEqual([gpu.device, "webgpu", `20 ms a step, wasm 300 ms; ${gain}`]);
    expect(runs).toEqual({ wasm: 1 + 4, webgpu: 1 + 8 });
    expect(disposed).toEqual(["wasm", "webgpu"]);
    expect(events.filter((event) => event.endsWith("closed"))).toEqual(["wasm closed"]);
    // Before the first run, shaders and all, and at the end of each.
    expect(events.filter((event) => event === "webgpu settled").length).toBe(1 + 9);
  });

  it("counts the steps of a run", async () => {
    const { step, now } = made({ wasm: 90, webgpu: 120 }, 100, 3);
    const { name, why } = await fastestOf(fake("wasm", []).contender, fake("webgpu", []).contender, step, now);
    expect([name, why]).toEqual(["wasm", `30 ms a step, webgpu 40 ms; ${gain}`]);
  });

  it("is not waited for longer than one long run each", async () => {
    const { step, now, runs } = made({ wasm: 1, webgpu: 1 }, 20_000);
    const { why } = await fastestOf(fake("wasm", []).contender, fake("webgpu", []).contender, step, now);
    expect([why, runs]).toEqual([`20000 ms a step, webgpu 20000 ms; ${gain}`, { wasm: 1, webgpu: 1 }]);
  });

  it("is the usual one, unmeasured, where the other is not there", async () => {
    const events: string[] = [];
    const cpu = fake("wasm", events);
    const step = vi.fn();
    const none = absent("webgpu", new DeviceError("webgpu: no adapter was found. Install a Vulkan driver, or use wasm()."));
    const { device, why } = await fastestOf(cpu.contender, none, step);
    expect([device, why, events]).toEqual([cpu.device, "webgpu: no adapter was found", ["wasm opened"]]);
    expect(step).not.toHaveBeenCalled();
  });

  it("is the one that the step fits, and the usual one where it fits neither", async () => {
    const large =
      (refusing: readonly string[]): StepOf =>
      ({ name }) => {
        if (refusing.includes(name)) throw new DeviceError(`${name}: this program needs 5.1 GiB. Lower the batch size.`);
        return { run: async () => undefined, dispose: () => undefined };
      };
    const of = async (...refusing: string[]) => {
      const events: string[] = [];
      const { name, why } = await fastestOf(
        fake("wasm", events).contender,
        fake("webgpu", events).contender,
        large(refusing),
        () => 0,
      );
      return [name, why, events.filter((event) => event.endsWith("closed"))];
    };
    expect(await of("wasm")).toEqual(["webgpu", "0.0 ms a step; wasm: this program needs 5.1 GiB", ["wasm closed"]]);
    expect(await of("webgpu")).toEqual(["wasm", "0.0 ms a step; webgpu: this program needs 5.1 GiB", ["webgpu closed"]]);
    expect((await of("wasm", "webgpu"))[0]).toBe("wasm");
  });

  it("leaves no device open when the step is wrong, or the usual one is not there", async () => {
    const events: string[] = [];
    const [cpu, gpu] = [fake("wasm", events).contender, fake("webgpu", events).contender];
    const wrong: StepOf = () => {
      throw new ConfigError("model: no such thing.");
    };
    await expect(fastestOf(cpu, gpu, wrong)).rejects.toThrow("no such thing");
    await expect(fastestOf(absent("wasm", new DeviceError("wasm: none.")), gpu, wrong)).rejects.toThrow("wasm: none");
    expect(events.filter((event) => event.endsWith("closed"))).toEqual(["wasm closed", "webgpu closed", "webgpu closed"]);
  });

  it("is asked for with options by their rules", async () => {
    await expect(fastestDevice({} as never)).rejects.toThrow("fastestDevice: the step must be a function");
    const step: StepOf = () => ({ run: async () => undefined, dispose: () => undefined });
    await expect(fastestDevice(step, { threads: 1 } as never)).rejects.toThrow('unknown option "threads"');
    await expect(fastestDevice(step, { wasm: 1 } as never)).rejects.toThrow("wasm must be an object");
  });
});

it.each<[string, boolean, object]>([
  ["a GPU", false, { vendor: "nvidia", architecture: "hopper", description: "NVIDIA H200" }],
  ["a GPU whose engine tells that", false, { vendor: "apple", isFallbackAdapter: false, type: "integrated GPU" }],
  ["SwiftShader in Chromium", true, { vendor: "google", architecture: "swiftshader" }],
  ["lavapipe", true, { description: "llvmpipe (LLVM 15.0.6, 256 bits)" }],
  ["what Windows has without a driver", true, { description: "Microsoft Basic Render Driver" }],
  ["what the engine calls a fallback", true, { vendor: "some", isFallbackAdapter: true }],
  ["a processor", true, { vendor: "some", type: "CPU" }],
  ["a GPU named after warps of another kind", false, { description: "Warpspeed 3000" }],
])("software is told from a GPU: %s", (_, software, info) => {
  const adapter = { info: { vendor: "", architecture: "", device: "", description: "", ...info } } as unknown as GpuAdapter;
  expect(isSoftware(adapter)).toBe(software);
  expect(isSoftware({ ...adapter, isFallbackAdapter: true })).toBe(true);
});
