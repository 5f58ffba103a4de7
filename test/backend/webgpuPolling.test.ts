/** How a read waits, by a GPU, an engine and timers that are made up. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { fakeGpu } from "./fakeGpu.js";

const agents = {
  firefox: "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
  chromium: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36",
} as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What is submitted while a read waits for 20 ms and after it, and timers that are left. */
async function waited(userAgent: string | undefined, end: "keep" | "break") {
  vi.stubGlobal("navigator", userAgent === undefined ? undefined : { userAgent });
  const { gpu, adapter, events, mapping } = fakeGpu();
  const device = new WebGpuDevice(gpu, adapter, "a test's");
  const reading = device.read({ storage: device.allocate(4, "a test's memory"), offset: 0 }, 4, "f32").catch(() => "failed");
  await vi.advanceTimersByTimeAsync(20);
  const during = events.filter((event) => event === "submit nothing").length;
  if (end === "keep") mapping[0].keep();
  else mapping[0].breakWith(new Error("the GPU was lost"));
  const result = await reading;
  await vi.advanceTimersByTimeAsync(20);
  return {
    during,
    after: events.filter((event) => event === "submit nothing").length - during,
    result,
    left: vi.getTimerCount(),
  };
}

it("Firefox is made to look what the GPU has done, for as long as a read waits", async () => {
  const read = { during: 10, after: 0, left: 0 };
  expect(await waited(agents.firefox, "keep")).toEqual({ ...read, result: new Float32Array(4) });
  expect(await waited(agents.firefox, "break")).toEqual({ ...read, result: "failed" });
});

it.each([agents.chromium, "Node.js/22", undefined])("other engines are left alone: %s", async (userAgent) => {
  expect(await waited(userAgent, "keep")).toEqual({ during: 0, after: 0, left: 0, result: new Float32Array(4) });
});
