import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add, gelu, matmul, matmulNT, matmulTN } from "../../src/autograd/ops/index.js";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import { type WasmDevice, wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { compile } from "../../src/program/program.js";

type Product = (a: Tensor, b: Tensor) => Tensor;

/** Products long enough to be divided into parts: by rows and by columns, over more than a block each way, with ragged ends. */
const cases: [name: string, a: number[], b: number[], product: Product][] = [
  ["NN by rows", [500, 410], [410, 131], matmul],
  ["NN of wide rows", [1040, 40], [40, 1037], matmul],
  ["NN of parts with few rows", [250, 400], [400, 205], matmul],
  ["NN by columns", [206, 402], [402, 630], matmul],
  ["NT by rows", [530, 390], [77, 390], matmulNT],
  ["NT by columns", [90, 390], [535, 390], matmulNT],
  ["NT by columns, few rows", [20, 390], [2055, 390], matmulNT],
  ["TN by rows", [404, 300], [404, 200], matmulTN],
  ["TN by columns", [404, 200], [404, 300], matmulTN],
  ["TN by few columns", [404, 20], [404, 600], matmulTN],
  ["by rows, a larger B than is kept", [1300, 1281], [1281, 1299], matmul],
  ["by columns, a larger A than is kept", [1299, 1281], [1281, 1310], matmul],
  ["batches, fewer than threads", [2, 300, 200], [2, 200, 130], matmul],
  ["batches, more than threads", [11, 90, 80], [11, 80, 70], matmul],
];

const numbers = (shape: readonly number[], stream: number) =>
  normalNumbers(
    shape.reduce((product, n) => product * n, 1),
    7,
    stream,
  );

describe("products divided into parts", () => {
  const devices: WasmDevice[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2, 3, 5]) devices.push(await wasm({ threads }));
  });
  afterAll(() => {
    for (const device of devices) device.close();
  });

  for (const [name, shapeA, shapeB, product] of cases) {
    it(`${name}: the bits of one thread, of new operands too`, async () => {
      const [a, b] = [input(shapeA), input(shapeB)];
      const outputs = { y: product(a, b), followed: gelu(add(product(a, add(b, 1)), 1)) };
      const results: Buffer[][] = [];
      for (const device of devices) {
        const program = compile(device, { inputs: { a, b }, outputs });
        for (const run of [0, 1]) {
          const { y, followed } = await program.run({ a: numbers(shapeA, run), b: numbers(shapeB, 2 + run) });
          const own = [y, followed].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
          results[run] ??= own;
          expect(own.map((bytes, i) => bytes.equals(results[run][i]))).toEqual([true, true]);
        }
        program.dispose();
      }
    });
  }
});
