import { beforeAll, describe, expect, it } from "vitest";
import { callBuffers, type KernelCall, mapBuffers, runReference } from "../../src/backend/calls.js";
import { kernelNames } from "../../src/backend/kernels/index.js";
import { type Instruction, maxOperands } from "../../src/backend/kernels/opcodes.js";
import type { Vectors } from "../../src/backend/wasm/binary.js";
import { contract } from "../../src/backend/wasm/contract.js";
import { encodeCall } from "../../src/backend/wasm/encode.js";
import { ConfigError } from "../../src/base/errors.js";
import { philox } from "../../src/base/random.js";
import { cases, opcodeCases } from "./kernelCases.js";
import { Bench, deviation, expected, f32, i32, type Numbers, sameBits } from "./kernelHarness.js";
import { type Name, toleranceOf } from "./kernelTolerances.js";

const all = cases();
/** In the order of their numbers. */
const names: readonly Name[] = [...kernelNames, "fused", "reduce"];

it("has a case for every kernel", () => {
  expect([...new Set(all.map(({ call }) => call.kernel))].sort()).toEqual([...names].sort());
});

it("what a kernel says it may touch is all that it touches, and all that it needs", () => {
  for (const { name, call } of all) {
    const whole = expected(call);
    const copies = new Map<Numbers, { array: Float64Array; elements: number }>();
    for (const { buffer, elements } of callBuffers(call)) {
      const most = Math.max(elements, copies.get(buffer)?.elements ?? 0);
      copies.set(buffer, { array: buffer.data.slice(0, most), elements: most });
      expect(elements, name).toBeLessThanOrEqual(buffer.data.length);
    }
    runReference(mapBuffers(call, (buffer, elements) => copies.get(buffer)!.array.subarray(0, elements)));
    callBuffers(call).forEach(({ buffer, name: argument }, i) => {
      const { array, elements } = copies.get(buffer)!;
      expect(sameBits(array, whole[i].subarray(0, elements)), `${name}: ${argument}`).toBe(true);
      expect(sameBits(whole[i].subarray(elements), buffer.data.subarray(elements)), `${name}: ${argument}, beyond`).toBe(true);
    });
  }
});

for (const level of ["simd", "relaxed", "paired"] as const satisfies readonly Vectors[]) {
  describe(`${level} kernels`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await Bench.create(level);
    });

    for (const kernel of names) {
      it(`${kernel}: the reference's numbers, whatever the number of threads, and nothing else written`, () => {
        for (const { name, call } of all.filter((own) => own.call.kernel === kernel)) {
          const want = expected(call);
          const [one, three] = [bench.run(call, 1), bench.run(call, 3)];
          const [relative, absolute] = toleranceOf(kernel);
          callBuffers(call).forEach(({ name: argument }, i) => {
            const far = deviation(one.numbers[i], want[i], relative, absolute);
            expect(far, `${name}: ${argument}, in units of the tolerance`).toBeLessThanOrEqual(1);
          });
          const alike = three.bits.every((bits, i) => sameBits(bits, one.bits[i]));
          expect(alike, `${name}: bits with three threads`).toBe(true);
          expect([one.intact, three.intact], `${name}: words around the buffers`).toEqual([true, true]);
        }
      });
    }

    it("ends activations in their limits", () => {
      const [value, slope] = [
        [0, Infinity],
        [0, 1],
      ] as const;
      const limits = { gelu: value, geluErf: value, silu: value, geluGrad: slope, geluErfGrad: slope, siluGrad: slope };
      for (const [opcode, want] of Object.entries(limits)) {
        const { call } = opcodeCases().find(({ name }) => name === `fused ${opcode}`)!;
        if (call.kernel !== "fused") continue;
        const x = f32([-Infinity, Infinity]);
        const ends = {
          ...call,
          dims: [1, 1, 1, 2] as const,
          reads: [{ buffer: x, strides: [0, 0, 0, 1] as const }],
          writes: [f32(2)],
        };
        expect(deviation(bench.run(ends, 1).numbers[1], want, 0, 1e-6), opcode).toBeLessThanOrEqual(1);
      }
    });

    // Random123's known answers for Philox4x32-10: an all-ones counter cannot be asked of the kernel, whose last word is 0.
    it("uniform: the published words", () => {
      const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
      const call = { kernel: "uniform", args: { y: f32(4), run: i32([0]), n: 4, seedLow: 0, seedHigh: 0, stream: 0 } } as const;
      expect([...bench.run(call, 1).numbers[0]]).toEqual(words.map((word) => ((word >>> 9) + 0.5) * 2 ** -23));
    });
  });
}

it("philox: the published words", () => {
  const hex = (words: readonly number[]) => words.map((word) => word.toString(16));
  const ones = 0xffffffff;
  expect(hex(philox([0, 0, 0, 0], [0, 0]))).toEqual(["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
  expect(hex(philox([ones, ones, ones, ones], [ones, ones]))).toEqual(["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]);
});

it("commands are whole units of 16 bytes and begin with their opcode", () => {
  for (const { call } of all) {
    const words = encodeCall(withoutBuffers(call));
    expect(words[0]).toBe(names.indexOf(call.kernel));
    expect(words[1]).toBe(words.byteLength);
    expect(words.byteLength % 16).toBe(0);
  }
});

it("a divided command tells what follows it, its parts and its time, and where each thread's parts are counted", () => {
  const call = withoutBuffers(all[0].call);
  const [, , , argumentsEnd] = encodeCall(call);
  for (const threads of [1, 2, 5]) {
    const [, length = 0, division = 0, counts = 0] = encodeCall(call, "chain", { parts: 6, threads, ns: 1000 });
    expect([length & 15, division & 255, 64 * (division >>> 8)]).toEqual([2, 6, 1024]);
    expect(counts).toBe(argumentsEnd);
    expect((length & ~15) - counts).toBeGreaterThanOrEqual(4 * threads);
  }
});

it("a fused kernel of too many operands is refused", () => {
  const call = {
    kernel: "fused",
    dims: [1, 1, 1, 4],
    reads: [],
    constants: Array(maxOperands + 1).fill(1),
    writes: [],
    temporaries: 0,
    code: [],
  } as const;
  expect(() => encodeCall(call)).toThrow(ConfigError);
});

describe("contract: a product and the sum after it become one instruction", () => {
  // Operands: reads 0 and 1, write 2, temporaries 3 and 4.
  const product: Instruction = ["mul", 3, 0, 1, 0];
  const sum: Instruction = ["add", 2, 3, 1, 0];
  it("when nothing else needs the product", () => {
    expect(contract([product, sum], 3)).toEqual([["mulAdd", 2, 0, 1, 1]]);
    expect(contract([product, ["add", 3, 1, 3, 0], ["neg", 2, 3, 0, 0]], 3)).toEqual([
      ["mulAdd", 3, 0, 1, 1],
      ["neg", 2, 3, 0, 0],
    ]);
  });
  it.each<[string, Instruction[], number?]>([
    ["when it is read later", [product, sum, ["neg", 2, 3, 0, 0]]],
    ["when it is added to itself", [product, ["add", 2, 3, 3, 0]]],
    ["when it is what a reduction sums", [product, ["add", 4, 3, 1, 0]], 3],
    [
      "when the product is itself an output",
      [
        ["mul", 2, 0, 1, 0],
        ["add", 3, 2, 1, 0],
      ],
    ],
    ["when another instruction stands between", [product, ["neg", 4, 0, 0, 0], sum]],
  ])("but not %s", (_, code, result) => {
    expect(contract(code, 3, result)).toEqual(code);
  });
});

/** The call with every buffer at address 0. */
function withoutBuffers(call: KernelCall<Numbers>): KernelCall<number> {
  if (call.kernel === "fused")
    return { ...call, reads: call.reads.map(({ strides }) => ({ buffer: 0, strides })), writes: call.writes.map(() => 0) };
  if (call.kernel === "reduce") return { ...call, reads: call.reads.map(({ strides }) => ({ buffer: 0, strides })), write: 0 };
  const args = Object.fromEntries(
    Object.entries(call.args).map(([name, value]) => [name, typeof value === "object" ? 0 : value]),
  );
  return { kernel: call.kernel, args } as unknown as KernelCall<number>;
}
