import { afterAll, describe, expect, it } from "vitest";
import { input } from "../../src/autograd/tensor.js";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { numbersOf, type ProductTile, productTiles, usualTile } from "../../src/backend/webgpu/launches.js";
import { classOf, Tuner } from "../../src/backend/webgpu/tuner.js";
import { normalNumbers } from "../../src/base/random.js";
import { compile, matmul, transpose } from "../../src/index.js";
import { openPlainly, withoutWebGpu } from "../webgpu.js";
import { outcomeOn } from "./guarded.js";
import { cases } from "./kernelCases.js";
import { deviation, expected, type Numbers } from "./kernelHarness.js";
import { toleranceOf } from "./kernelTolerances.js";

type Product<B> = Extract<KernelCall<B>, { readonly kernel: "matmul" }>;
const products = cases().flatMap(({ name, call }) => (call.kernel === "matmul" ? [{ name, call }] : []));
const sizeOf = ({ args: { batch, m, n, k } }: Product<Numbers>) => batch * m * n * k;
/** A product of these sizes. */
const product = (m: number, n: number, k: number): Product<Numbers> => {
  const [{ call }] = products;
  return { ...call, args: { ...call.args, m, n, k } };
};

/** Keeps texts in memory. */
function memory(text?: string) {
  const kept = new Map<string, string>(text === undefined ? [] : [["webgpu-tuning.json", text]]);
  return {
    kept,
    recall: async (name: string) => kept.get(name),
    keep: async (name: string, own: string) => void kept.set(name, own),
  };
}

/** Measures calls by a clock that is made up, and counts what it times. */
async function measure(tuner: Tuner, calls: readonly KernelCall<Numbers>[], clock: (tile: ProductTile) => number) {
  const timed: string[] = [];
  await tuner.measure(calls, async ({ args: { m } }, tile) => {
    timed.push(`${m} by ${tile}`);
    return clock(tile);
  });
  return timed;
}

describe("the tuner of products", () => {
  it("times every tile that is worth it for every kind of products, of one kind the largest, and takes the fastest", async () => {
    const tuner = await Tuner.open("a", memory());
    const calls = [product(500, 300, 64), product(512, 400, 64), product(20, 300, 64), product(500, 48, 64)];
    const timed = await measure(tuner, calls, (tile) => 200 - tile);
    expect(timed).toEqual(["512 by 32", "512 by 64", "512 by 128", "20 by 32", "500 by 32", "500 by 64"]);
    expect(calls.map(({ args }) => tuner.tileOf(numbersOf({ kernel: "matmul", args })))).toEqual([128, 128, 32, 64]);
    const other = numbersOf(product(4000, 300, 64));
    expect(tuner.tileOf(other)).toBe(usualTile(other));
  });

  it("keeps choices for the adapter, beside those of others, and measures nothing twice", async () => {
    const store = memory('{"b":{"8x8x8x8 00":64}}');
    const calls = [product(500, 300, 64)];
    await measure(await Tuner.open("a", store), calls, (tile) => tile);
    const again = await Tuner.open("a", store);
    expect(again.measure(calls, () => Promise.reject(new Error("timed")))).toBeUndefined();
    expect(again.tileOf(numbersOf(calls[0]))).toBe(32);
    expect(JSON.parse(store.kept.get("webgpu-tuning.json") ?? "")).toEqual({
      a: { [classOf(numbersOf(calls[0]))]: 32 },
      b: { "8x8x8x8 00": 64 },
    });
    expect(await measure(await Tuner.open("b", store), calls, (tile) => tile)).toHaveLength(3);
  });

  it.each(["", "{", "[1]", '{"a":7}', '{"a":{"8x8x8x8 00":48}}'])("measures anew where %j was kept", async (text) => {
    const tuner = await Tuner.open("a", memory(text));
    expect(await measure(tuner, [product(8, 8, 8)], () => 1)).toHaveLength(1);
  });

  it("goes on where nothing can be kept, and says so", async () => {
    const refuse = () => Promise.reject(new Error("the disk is full"));
    const tuner = await Tuner.open("a", { recall: refuse, keep: refuse });
    await measure(tuner, [product(500, 300, 64)], (tile) => tile);
    expect(tuner.summary).toContain("not kept (the disk is full)");
  });

  it("leaves a kind open whose measurement fails", async () => {
    const tuner = await Tuner.open("a", memory());
    const failing = tuner.measure([product(500, 300, 64)], () => Promise.reject(new Error("lost")));
    await expect(failing).rejects.toThrow("lost");
    expect(await measure(tuner, [product(500, 300, 64)], (tile) => tile)).toHaveLength(3);
  });
});

describe.skipIf(withoutWebGpu !== undefined)("on a GPU", () => {
  const devices: WebGpuDevice[] = [];
  const open = async (tuner: Tuner) => {
    const device = await openPlainly({ tuner });
    devices.push(device);
    return device;
  };
  afterAll(() => devices.forEach((device) => device.close()));

  /** Of every way that operands lie in memory the largest product: more would take long to compile. */
  const own = [
    ...new Map(
      [...products]
        .sort((a, b) => sizeOf(a.call) - sizeOf(b.call))
        .map((product) => [`${product.call.args.transposeA}${product.call.args.transposeB}`, product]),
    ).values(),
  ];

  it.each(productTiles)("products by tiles of %i are the reference's, and write nothing else", async (tile) => {
    const tiles = Object.fromEntries(own.map(({ call }) => [classOf(numbersOf(call)), tile]));
    const device = await open(await Tuner.open("a", memory(JSON.stringify({ a: tiles }))));
    const [relative, absolute] = toleranceOf("matmul");
    const outcomes = await Promise.all(own.map((product) => outcomeOn(device, product)));
    for (const [i, { name, call }] of own.entries()) {
      const { numbers, intact } = outcomes[i];
      expect(intact, name).toBe(true);
      for (const [j, want] of expected(call).entries())
        expect(deviation(numbers[j], want, relative, absolute), name).toBeLessThanOrEqual(1);
    }
  });

  it("a program waits until its products are measured, and comes to the reference's numbers", async () => {
    const store = memory();
    const device = await open(await Tuner.open("a", store));
    const [x, w] = [input([80, 70]), input([70, 90])];
    const program = (on: Device) => compile(on, { inputs: { x, w }, outputs: { out: matmul(x, w) } });
    const feed = { x: Float32Array.from(normalNumbers(5600, 3, 0)), w: Float32Array.from(normalNumbers(6300, 3, 1)) };
    const [own, truth] = [await program(device).run(feed), await program(reference()).run(feed)];
    expect(deviation(own.out.data, truth.out.data, ...toleranceOf("matmul"))).toBeLessThanOrEqual(1);
    expect(Object.keys(JSON.parse(store.kept.get("webgpu-tuning.json") ?? "").a)).toEqual(["1x128x128x128 00"]);
    expect(device.describe().details.at(-1)).toContain("tiles of 1 kinds of products by measurement, 1 of them now");
  });

  it("a program may be given back while its products are measured", async () => {
    const device = await open(await Tuner.open("a", memory()));
    const x = input([80, 70]);
    compile(device, { inputs: { x }, outputs: { out: matmul(x, transpose(x)) } }).dispose();
    await device.settled();
    expect(device.describe().details.at(-1)).toContain("1 of them now");
  });
});
