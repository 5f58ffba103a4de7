import { expect, it } from "vitest";
import { withDevice } from "../../cli/device.js";
import { printed } from "./inProcess.js";

const nothing = () => Promise.reject(new Error("a step was made"));
const noteOf = (options: Parameters<typeof withDevice>[0]) =>
  printed(() => withDevice(options, nothing, async () => {})).then(({ err }) => err);

it("says once what a device has no use for", async () => {
  expect(await noteOf({ device: "reference", threads: 2, vectors: "simd", tune: true, f16: true })).toBe(
    [
      "note: --threads 2: threads and vectors are the wasm device's, not the reference device's.",
      "note: --vectors simd: threads and vectors are the wasm device's, not the reference device's.",
      "note: --tune: measured products are the webgpu device's, not the reference device's.\n" +
        "note: --f16: weights kept in 16 bits are the webgpu device's, not the reference device's.\n",
    ].join("\n"),
  );
  expect(await noteOf({ threads: 1, tune: true })).toBe(
    "note: --tune: measured products are the webgpu device's, not the wasm device's.\n",
  );
  expect(await noteOf({ device: "wasm", threads: 1, tune: false })).toBe("");
});
