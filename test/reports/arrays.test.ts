/** Numbers given as arrays within arrays, as tensor libraries take them. */
import { describe, expect, it } from "vitest";
import { gatherRows, matmul, square } from "../../src/autograd/ops/index.js";
import { constant, input, parameter } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { ShapeError } from "../../src/base/errors.js";
import { readParameter, writeParameter } from "../../src/program/parameters.js";
import { compile, read } from "../../src/program/program.js";

const device = reference();
const shapeAndNumbers = async (x: Parameters<typeof read>[1]) => {
  const { shape, data } = await read(device, x);
  return [shape, [...data]];
};

describe("constant", () => {
  it("takes the shape of nested arrays", async () => {
    expect(
      await shapeAndNumbers(
        constant([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ]);
    expect(
      await shapeAndNumbers(
        constant([
          [[1], [2]],
          [[3], [4]],
          [[5], [6]],
        ]),
      ),
    ).toEqual([
      [3, 2, 1],
      [1, 2, 3, 4, 5, 6],
    ]);
    expect(await shapeAndNumbers(constant(7))).toEqual([[], [7]]);
    expect(await shapeAndNumbers(constant([[7]]))).toEqual([[1, 1], [7]]);
    expect(await shapeAndNumbers(matmul(constant([[1, 2]]), constant([[3], [4]])))).toEqual([[1, 1], [11]]);
  });
  it("takes rows that are typed arrays, and keeps whole ones whole", async () => {
    const rows = constant([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    expect([rows.dtype, ...(await shapeAndNumbers(rows))]).toEqual(["f32", [2, 2], [1, 2, 3, 4]]);
    const ids = constant([Int32Array.of(1, 0)]);
    expect(ids.dtype).toBe("i32");
    expect(
      await shapeAndNumbers(
        gatherRows(
          constant([
            [
              [5, 6],
              [7, 8],
            ],
          ]),
          ids,
        ),
      ),
    ).toEqual([
      [1, 2, 2],
      [7, 8, 5, 6],
    ]);
    expect(await shapeAndNumbers(constant(Uint8Array.of(1, 255)))).toEqual([[2], [1, 255]]);
    expect(constant(Uint8Array.of(1, 255)).dtype).toBe("f32");
  });
  it("cuts a plain row into a shape, and holds nested rows to it", async () => {
    expect(await shapeAndNumbers(constant([1, 2, 3, 4], [2, 2]))).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ]);
    expect(
      await shapeAndNumbers(
        constant(
          [
            [1, 2],
            [3, 4],
          ],
          [2, 2],
        ),
      ),
    ).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ]);
    expect(() =>
      constant(
        [
          [1, 2],
          [3, 4],
        ],
        [4],
      ),
    ).toThrow("constant: the arrays are nested as [2, 2], where [4] is needed");
    expect(() =>
      constant(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [3, 2],
      ),
    ).toThrow("nested as [2, 3]");
    expect(() => constant([1, 2, 3], [2])).toThrow("constant [2] needs 2 numbers, got 3");
  });
  it.each<[string, unknown, RegExp]>([
    ["rows of other lengths", [[1, 2], [3]], /element \[1\] has 1 elements, the first of its axis 2/],
    [
      "deeper ones",
      [
        [[1], [2]],
        [[3], [4, 5]],
      ],
      /element \[1, 1\] has 2 elements/,
    ],
    ["a number among rows", [[1, 2], 3], /element \[1\] has 3, the first of its axis 2/],
    ["a row among numbers", [1, [2]], /element \[1\] is an array of 1, expected a number/],
    ["a typed row of another length", [Float32Array.of(1, 2), Float32Array.of(3)], /element \[1\] has 1 elements/],
    ["a text", "12", /expected numbers, got "12"/],
    ["texts", ["1", "2"], /element \[0\] is "1", expected a number/],
    ["a missing number", [1, undefined], /element \[1\] is undefined/],
    ["a hole", Object.assign(new Array(2), { 0: 1 }), /element \[1\] is undefined/],
    ["null", [[1, null]], /element \[0, 1\] is null/],
    ["booleans", [true], /element \[0\] is true/],
    ["large whole numbers", [1n], /element \[0\] is 1n/],
    ["typed large whole numbers", BigInt64Array.of(1n), /element \[0\] is 1n/],
    ["nothing", undefined, /expected numbers, got undefined/],
    ["an empty array", [], /axis 0 of \[0\] is 0/],
    ["empty rows", [[], []], /axis 1 of \[2, 0\] is 0/],
    ["an object", { a: 1 }, /got an object \{ a \}/],
    ["a set", new Set([1]), /got a value of type Set/],
    ["bytes without a type", new ArrayBuffer(8), /got a value of type ArrayBuffer/],
    ["a promise", Promise.resolve([1]), /got a promise. Await it/],
    ["a tensor", constant(1), /got a value of type Tensor/],
  ])("refuses %s", (_, data, message) => {
    expect(() => constant(data as number[])).toThrow(ShapeError);
    expect(() => constant(data as number[])).toThrow(message);
  });
  it("refuses an array that holds itself", () => {
    const own: unknown[] = [];
    own.push(own);
    expect(() => constant(own as number[])).toThrow("nested deeper than 16");
  });
});

it("parameters and their writing take nested arrays", async () => {
  const w = parameter(
    [2, 2],
    [
      [1, 2],
      [3, 4],
    ],
  );
  expect([...(await readParameter(device, w))]).toEqual([1, 2, 3, 4]);
  writeParameter(device, w, [
    [5, 6],
    [7, 8],
  ]);
  expect([...(await readParameter(device, w))]).toEqual([5, 6, 7, 8]);
  expect(() => writeParameter(device, w, [[5, 6, 7, 8]])).toThrow("writeParameter: the arrays are nested as [1, 4]");
  expect(() => writeParameter(device, w, [1])).toThrow("writeParameter [2, 2] needs 4 numbers, got 1");
  expect(() => parameter([2], [[1], [2]])).toThrow(ShapeError);
  await expect(
    readParameter(
      device,
      parameter([2], () => [1] as never),
    ),
  ).rejects.toThrow("needs 2 numbers, got 1");
  await expect(
    readParameter(
      device,
      parameter([2], () => undefined as never),
    ).then((x) => [...x]),
  ).resolves.toEqual([0, 0]);
});

describe("a run", () => {
  const [x, ids, one] = [input([2, 2]), input([2], "i32"), input([])];
  const program = compile(device, { inputs: { x, ids, one }, outputs: { y: square(x), ids, one } });
  const feed = { x: [1, 2, 3, 4], ids: [0, 1], one: 1 };
  it("takes nested arrays of an input's shape, rows, and single numbers", async () => {
    expect([
      ...(
        await program.run({
          ...feed,
          x: [
            [1, 2],
            [3, 4],
          ],
        })
      ).y.data,
    ]).toEqual([1, 4, 9, 16]);
    expect([...(await program.run({ ...feed, x: [Float32Array.of(1, 2), Float32Array.of(3, 4)] })).y.data]).toEqual([
      1, 4, 9, 16,
    ]);
    expect((await program.run({ ...feed, one: [5] })).one.item()).toBe(5);
  });
  it.each<[string, Record<string, unknown>, string]>([
    ["rows of another shape", { x: [[1, 2, 3, 4]] }, 'run: input "x": the arrays are nested as [1, 4]'],
    ["rows of other lengths", { x: [[1, 2], [3]] }, "rows must be alike"],
    ["too few", { x: [1, 2] }, 'run: input "x" [2, 2] needs 4 numbers, got 2'],
    ["one number for many", { x: 1 }, 'run: input "x" [2, 2] needs 4 numbers, got 1'],
    ["a text", { x: "1234" }, 'run: input "x": expected numbers, got "1234"'],
    ["texts", { x: ["1", "2", "3", "4"] }, 'element [0] is "1"'],
    ["nothing", { x: undefined }, 'run: input "x" [2, 2] is missing'],
    ["null", { x: null }, "got null"],
    ["a tensor", { x }, "got a value of type Tensor"],
    ["parts of whole numbers", { ids: [0.5, 1] }, 'input "ids" is i32: element 0 must be a whole number of 32 bits, got 0.5'],
    ["NaN for a whole number", { ids: Float32Array.of(0, Number.NaN) }, "element 1 must be a whole number"],
    ["a whole number too large", { ids: [2 ** 31, 0] }, "got 2147483648"],
  ])("refuses %s", async (_, given, message) => {
    await expect(program.run({ ...feed, ...given })).rejects.toThrow(message);
  });
});
