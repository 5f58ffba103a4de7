/** Calls of every kernel, at sizes around the width of a vector. */
import type { KernelArgs, PlainCall } from "../../src/backend/calls.js";
import type { FusedCall } from "../../src/backend/kernels/fused.js";
import { type KernelName, kernelNames, kernels } from "../../src/backend/kernels/index.js";
import { type Instruction, opcodeNames, opcodes } from "../../src/backend/kernels/opcodes.js";
import type { ReduceCall } from "../../src/backend/kernels/reduce.js";
import { type Case, expected, f32, i32, type Numbers, random, restart } from "./kernelHarness.js";
import { opCalls } from "./opCalls.js";

export const sizes = [1, 3, 4, 5, 8, 17, 33];

const plain = <K extends KernelName>(kernel: K, name: string, args: KernelArgs<K, Numbers>): Case => ({
  name: `${kernel} ${name}`,
  call: { kernel, args } as PlainCall<Numbers>,
});
const plus = (x: number[], y: number): number[] => x.map((value) => value + y);
const positive = (count: number): Numbers => f32(plus([...f32(count).data], 1.5));

/** Positive numbers of which every row sums to about 1, as softmax gives them. */
const shares = (count: number, columns: number): Numbers =>
  f32(f32(count).data.map((value) => (2 * Math.abs(value)) / columns));

/** Special values, and those between. */
const specials = [
  Number.NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1e-20,
  -1e-20,
  1,
  -1,
  0.5,
  -2.5,
  3,
  10,
  -10,
  87,
  -86,
  // Where functions by way of exponentials are cut off; the last is the largest whose own is a number.
  88,
  -88,
  88.72283,
  1e30,
  700.25,
  -4321.5,
  1e10,
  -3e9,
  1048577,
  3.4028234663852886e38,
];

interface FusedOptions {
  readonly writes?: number;
  readonly temporaries?: number;
  readonly constants?: readonly number[];
}
type Axes = readonly [number, number, number, number];

function fusedCase(
  name: string,
  dims: Axes,
  reads: readonly (readonly [Numbers, Axes])[],
  code: readonly Instruction[],
  { writes = 1, temporaries = 0, constants = [] }: FusedOptions = {},
): Case {
  const size = dims.reduce((n, d) => n * d, 1);
  const call: FusedCall<Numbers> = {
    kernel: "fused",
    dims,
    constants,
    temporaries,
    code,
    reads: reads.map(([buffer, strides]) => ({ buffer, strides })),
    writes: Array.from({ length: writes }, () => f32(size)),
  };
  return { name: `fused ${name}`, call };
}

const flat: Axes = [0, 0, 0, 1];

/** Every opcode, over special values and random ones. */
export function opcodeCases(): Case[] {
  return opcodeNames.flatMap((opcode) => {
    restart();
    const { arity } = opcodes[opcode];
    if (arity === 1) {
      const x = [...specials, ...Array.from({ length: 300 }, () => 9 * random())];
      return [fusedCase(opcode, [1, 1, 1, x.length], [[f32(x), flat]], [[opcode, 1, 0, 0, 0]])];
    }
    const triples = specials.flatMap((a) => specials.flatMap((b) => [1.5, -3].map((c) => [a, b, c] as const)));
    const n = triples.length;
    const operands = [0, 1, 2].map((place) => [f32(triples.map((triple) => triple[place])), flat] as const);
    if (arity === 2) return [fusedCase(opcode, [1, 1, 1, n], operands.slice(0, 2), [[opcode, 2, 0, 1, 0]])];
    return [fusedCase(opcode, [1, 1, 1, n], operands, [[opcode, 3, 0, 1, 2]])];
  });
}

/** Domains and strides: broadcasts of all kinds, several writes, constants, in-place updates. */
function layoutCases(): Case[] {
  const cases: Case[] = [];
  for (const n of [...sizes, 600, 1027]) {
    for (const [b, t] of [
      [1, 1],
      [2, 3],
      [3, 17],
    ] as const) {
      const [x, scale, shift] = [f32(b * t * n), f32(b * n), f32(b * n)];
      const [mean, rstd] = [f32(b * t), positive(b * t)];
      // x (1 + scale) + shift with a row a sample, as the models modulate
      cases.push(
        fusedCase(
          `modulate ${b}x${t}x${n}`,
          [1, b, t, n],
          [
            [x, [0, t * n, n, 1]],
            [scale, [0, n, 0, 1]],
            [shift, [0, n, 0, 1]],
          ],
          [
            ["add", 5, 1, 3, 0],
            ["mul", 5, 0, 5, 0],
            ["add", 4, 5, 2, 0],
          ],
          { constants: [1], temporaries: 1 },
        ),
        // (x - mean)·rstd with a number a row
        fusedCase(
          `normalise ${b}x${t}x${n}`,
          [1, 1, b * t, n],
          [
            [x, [0, 0, n, 1]],
            [mean, [0, 0, 1, 0]],
            [rstd, [0, 0, 1, 0]],
          ],
          [
            ["sub", 4, 0, 1, 0],
            ["mul", 3, 4, 2, 0],
          ],
          { temporaries: 1 },
        ),
        // a row of a wider tensor, one number for all, one number a sample
        fusedCase(
          `mixed ${b}x${t}x${n}`,
          [1, b, t, n],
          [
            [f32(b * t * (n + 3)), [0, t * (n + 3), n + 3, 1]],
            [f32(1), [0, 0, 0, 0]],
            [f32(b), [0, 1, 0, 0]],
          ],
          [
            ["mulAdd", 3, 0, 1, 2],
            ["greater", 4, 3, 2, 0],
          ],
          { writes: 2 },
        ),
      );
    }
    const [p, m] = [f32(n), f32(n)];
    const update = fusedCase(
      `in place ${n}`,
      [1, 1, 1, n],
      [
        [p, flat],
        [m, flat],
      ],
      [
        ["mulAdd", 4, 1, 2, 0],
        ["square", 3, 4, 0, 0],
      ],
      { constants: [0.9], writes: 2 },
    );
    cases.push({ ...update, call: { ...(update.call as FusedCall<Numbers>), writes: [p, m] } });
  }
  cases.push(
    fusedCase(
      "4 axes",
      [3, 2, 5, 7],
      [
        [f32(3 * 5 * 7), [35, 0, 7, 1]],
        [f32(2 * 7), [0, 7, 0, 1]],
      ],
      [["mul", 2, 0, 1, 0]],
    ),
  );
  return cases;
}

function reduceCases(): Case[] {
  const cases: Case[] = [];
  const shapes: [number, number, number, number][] = [
    ...sizes.flatMap((n): [number, number, number, number][] => [
      [3, n, 1, n],
      [20, n, 1, n],
      [2, 9, n, 9],
      [2, 9, n, 4],
    ]),
    [1, 5000, 1, 1024],
    [3, 1300, 1, 100],
    [3, 1300, 1, 1300],
    [1, 37, 1100, 16],
    [1, 600, 24, 100],
    // So many rows at once that they are summed in blocks.
    [2, 1300, 5, 1300],
    [1, 300, 36, 257],
  ];
  for (const [outer, rows, inner, chunk] of shapes) {
    const dims = [outer, rows, inner] as const;
    const own = [rows * inner, inner, inner === 1 ? 0 : 1] as const;
    const rowVector = inner === 1 ? ([0, 1, 0] as const) : ([0, 0, 1] as const);
    const write = f32(outer * Math.ceil(rows / chunk) * inner);
    for (const mode of ["sum", "max"] as const) {
      const common = { kernel: "reduce", mode, dims, chunk, write } as const;
      const name = `reduce ${mode} ${dims.join("x")} by ${chunk}`;
      const reads: ReduceCall<Numbers>["reads"] = [{ buffer: f32(outer * rows * inner), strides: own }];
      cases.push({ name, call: { ...common, reads, constants: [], temporaries: 0, code: [], result: 0 } });
      const factor = { buffer: f32(inner === 1 ? rows : inner), strides: rowVector };
      const code: Instruction[] = [
        ["mul", 3, 0, 1, 0],
        ["add", 3, 3, 2, 0],
      ];
      cases.push({
        name: `${name} of products`,
        call: { ...common, reads: [...reads, factor], constants: [0.25], temporaries: 1, code, result: 3 },
      });
    }
  }
  return cases;
}

/** Rows that do not vary, and rows without a gradient whose numbers are not finite. */
function stillRowCases(): Case[] {
  return [1, 5, 64, 577, 5000].flatMap((columns) => {
    const [rows, n] = [2, 2 * columns];
    const shape = { rows, columns, rowsPerGroup: 1 };
    const constant = f32(Array.from({ length: n }, (_, i) => (i < columns ? 12345.678 : -0.1)));
    const norm = { y: f32(n), mean: f32(rows), rstd: f32(rows), scale: f32(n), shift: f32(n), ...shape, offset: 1, eps: 1e-6 };
    const broken = f32(Array.from({ length: n }, (_, i) => (i === columns - 1 ? Infinity : i === n - 1 ? Number.NaN : 1)));
    const slope = { dx: f32(n), mean: f32(rows), rstd: positive(rows), scale: null, ...shape, offset: 1 };
    return [
      plain("layerNorm", `constant ${columns}`, { ...norm, x: constant }),
      plain("layerNormGrad", `of a constant gradient ${columns}`, {
        ...slope,
        x: f32(n),
        dy: constant,
        mean: f32(2),
        rstd: f32([0, 0]),
      }),
      plain("layerNormGrad", `without a gradient ${columns}`, { ...slope, x: broken, dy: f32(new Float64Array(n)) }),
      plain("softmaxGrad", `without a gradient ${columns}`, {
        dx: f32(n),
        y: broken,
        dy: f32(new Float64Array(n)),
        rows,
        columns,
      }),
    ];
  });
}

function rowCases(): Case[] {
  return [...sizes, 64, 257, 4099].flatMap((columns) =>
    [1, 6].flatMap((rows) => {
      const n = rows * columns;
      const name = `${rows}x${columns}`;
      const groups = rows === 6 ? 3 : 1;
      const x = f32([...f32(n).data].map((value) => 4 * value + 1));
      const logits = f32([...x.data].map((value, i) => (i % 7 === 3 ? -Infinity : value)));
      const [scale, shift] = [f32(groups * columns), f32(groups * columns)];
      const shape = { rows, columns, rowsPerGroup: rows / groups };
      const norm = { y: f32(n), mean: f32(rows), rstd: f32(rows), x, ...shape, eps: 1e-3 };
      const slope = { dx: f32(n), dy: f32(n), x, mean: f32(rows), rstd: positive(rows), ...shape };
      const { mean, rstd } = slope;
      const slopes = f32([...slope.dy.data].map((value, i) => (i % 5 === 2 ? 0 : value)));
      const sums = { dScale: f32(groups * columns), dShift: f32(groups * columns), dy: slopes, x, mean, rstd, ...shape };
      return [
        plain("softmax", name, { y: f32(n), x: logits, rows, columns }),
        plain("softmaxGrad", name, { dx: f32(n), y: shares(n, columns), dy: f32(n), rows, columns }),
        plain("layerNorm", `${name} modulated`, { ...norm, scale, shift, offset: 1 }),
        plain("layerNorm", `${name} plain`, { ...norm, scale: null, shift: null, offset: 1 }),
        plain("layerNorm", `${name} scaled`, { ...norm, scale, shift: null, offset: 0 }),
        plain("layerNorm", `${name} of the root mean square, modulated`, { ...norm, mean: null, scale, shift, offset: 1 }),
        plain("layerNorm", `${name} of the root mean square`, { ...norm, mean: null, scale: null, shift: null, offset: 1 }),
        plain("layerNormGrad", `${name} modulated`, { ...slope, scale, offset: 1 }),
        plain("layerNormGrad", `${name} plain`, { ...slope, scale: null, offset: 1 }),
        plain("layerNormGrad", `${name} of the root mean square`, { ...slope, mean: null, scale, offset: 1 }),
        plain("layerNormSums", name, sums),
        plain("layerNormSums", `${name} of the root mean square`, { ...sums, mean: null }),
        plain("layerNormSums", `${name} without shift`, { ...sums, mean: null, dShift: null }),
      ];
    }),
  );
}

/** AdamW beside its operands and over them, with and without an average, and where its guard forbids it. */
function adamWCases(): Case[] {
  const one = (value: number): Numbers => f32([value]);
  return [...sizes, 9001].flatMap((n) =>
    [0, 1].flatMap((guard) =>
      [false, true].flatMap((averaged) =>
        [false, true].map((inPlace) => {
          const [p, m, v, e] = [f32(n), f32(n), positive(n), averaged ? f32(n) : null];
          m.data[0] = 1e-31;
          const written = inPlace
            ? { p1: p, m1: m, v1: v, e1: e }
            : { p1: f32(n), m1: f32(n), v1: f32(n), e1: averaged ? f32(n) : null };
          const g = f32([...f32(n).data].map((value, i) => (i === 0 ? 0 : value)));
          const numbers = { factor: one(0.5), stepSize: one(0.01), rootCorrection: one(3), remainder: one(0.99) };
          const rates = { guard: one(guard), rate: averaged ? one(0.25) : null, beta1: 0.9, beta2: 0.99, eps: 1e-6 };
          const name = [n, guard ? "" : "forbidden", averaged ? "averaged" : "", inPlace ? "in place" : ""].join(" ");
          return plain("adamW", name, { ...written, p, g, m, v, e, ...numbers, ...rates, n });
        }),
      ),
    ),
  );
}

/** AdamW without an epsilon, of gradients whose squares are barely there, or not. */
function tinyAdamWCases(): Case[] {
  const one = (value: number): Numbers => f32([value]);
  return [0, 1e-16].map((eps) => {
    const g = f32([0, 3e-14, -3e-14, 1e-16, 5e-17, 1e-19, -1e-25, 1e-38, 1e-3]);
    const n = g.data.length;
    const zeros = () => f32(new Float64Array(n));
    const operands = { p: f32(n), g, m: zeros(), v: zeros(), e: null, p1: f32(n), m1: f32(n), v1: f32(n), e1: null };
    const numbers = { factor: one(1), stepSize: one(0.01), rootCorrection: one(3), remainder: one(0.99), guard: one(1) };
    return plain("adamW", `tiny, eps ${eps}`, { ...operands, ...numbers, rate: null, n, beta1: 0.9, beta2: 0.99, eps });
  });
}

function moveCases(): Case[] {
  const strided = (name: string, dims: number[], y: number[], x: number[], yOffset = 0, xOffset = 0): Case => {
    const extent = (strides: number[]) => 1 + strides.reduce((sum, stride, i) => sum + stride * (dims[i] - 1), 0);
    const axes = Object.fromEntries([
      ...dims.map((d, i) => [`d${i}`, d]),
      ...y.map((s, i) => [`y${i}`, s]),
      ...x.map((s, i) => [`x${i}`, s]),
    ]);
    const buffers = { y: f32(yOffset + extent(y)), x: f32(xOffset + extent(x)), yOffset, xOffset };
    return plain("copyStrided", name, { ...buffers, ...axes } as KernelArgs<"copyStrided", Numbers>);
  };
  const square = sizes.flatMap((a) =>
    [1, 4, 7, 40].flatMap((b) => [
      strided(`transpose ${a}x${b}`, [1, 1, 1, 2, a, b], [0, 0, 0, a * b, b, 1], [0, 0, 0, a * b, 1, a]),
      strided(`transpose ${a}x${b}, x in order`, [1, 1, 1, 1, b, a], [0, 0, 0, 0, 1, b], [0, 0, 0, 0, a, 1]),
      strided(`slice ${a} of ${b}`, [1, 1, 1, 1, b, a], [0, 0, 0, 0, a, 1], [0, 0, 0, 0, a + 2, 1], 0, 1),
      strided(`into a slice, ${a} of ${b}`, [1, 1, 1, 1, b, a], [0, 0, 0, 0, a + 2, 1], [0, 0, 0, 0, a, 1], 2, 0),
    ]),
  );
  return [
    ...[...sizes, 9000].flatMap((n) => [
      plain("fill", `${n}`, { y: f32(n), n, value: -2.5 }),
      strided(`run ${n}`, [1, 1, 1, 1, 1, n], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1]),
    ]),
    ...square,
    strided("6 axes", [2, 3, 2, 3, 2, 5], [180, 60, 30, 10, 5, 1], [10, 60, 180, 20, 5, 1]),
    strided("no contiguous axis", [1, 1, 2, 3, 4, 5], [0, 0, 120, 40, 10, 2], [0, 0, 3, 30, 90, 6]),
    strided("broadcast", [1, 1, 1, 1, 3, 6], [0, 0, 0, 0, 6, 1], [0, 0, 0, 0, 1, 0]),
    ...sizes.flatMap((columns) =>
      [
        [2, 1],
        [2, 2],
        [9, 3],
      ].flatMap(([batches, indexBatches]) => {
        const shape = { batches: batches, indexBatches: indexBatches, columns, outRows: 6, inRows: 5 };
        return [
          plain("gatherRows", `${batches}x${columns}`, {
            ...shape,
            y: f32(batches * 6 * columns),
            x: f32(batches * 5 * columns),
            index: i32(indexBatches * 6, -1, 5),
          }),
          plain("scatterAddRows", `${batches}x${columns}`, {
            ...shape,
            y: f32(batches * 6 * columns),
            x: f32(batches * 5 * columns),
            index: i32(indexBatches * 5, -1, 6),
          }),
        ];
      }),
    ),
  ];
}

function convolutionCases(): Case[] {
  return [
    [2, 2, 2, 0],
    [3, 3, 1, 1],
    [3, 2, 2, 1],
    [1, 5, 3, 2],
  ].flatMap(([kernelHeight, kernelWidth, stride, padding]) => {
    const [batch, channels, height, width] = [2, 3, 6, 8];
    const out = (size: number, kernel: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
    const [outHeight, outWidth] = [out(height, kernelHeight), out(width, kernelWidth)];
    const shape = { batch, channels, height, width, kernelHeight, kernelWidth, stride, padding, outHeight, outWidth } as const;
    const [picture, rows] = [
      batch * channels * height * width,
      batch * outHeight * outWidth * channels * kernelHeight * kernelWidth,
    ];
    const name = `${kernelHeight}x${kernelWidth}, stride ${stride}, padding ${padding}`;
    return [
      plain("unfold", name, { ...shape, y: f32(rows), x: f32(picture) }),
      plain("fold", name, { ...shape, y: f32(picture), x: f32(rows) }),
    ];
  });
}

function randomCases(): Case[] {
  const times = (n: number) => f32(Array.from({ length: n }, (_, i) => (i === 0 ? 2 ** 20 : 1000 * Math.abs(random()))));
  return [...sizes, 100].flatMap((n) => [
    plain("uniform", `${n}`, { y: f32(n), run: i32([7]), n, seedLow: 123, seedHigh: -5, stream: 9 }),
    plain("normal", `${n}`, { y: f32(n), run: i32([7]), n, seedLow: 123, seedHigh: -5, stream: 9 }),
    plain("sinusoid", `${n}`, { y: f32(2 * n * 5), t: times(5), n: 5, half: n, maxPeriod: 10000 }),
    plain("sinusoid", `of large times ${n}`, { y: f32(6), t: f32([1e10, -3e20, 3.4e38]), n: 3, half: 1, maxPeriod: 10000 }),
  ]);
}

/** Equal elements, infinities and NaN among numbers, along rows and across them; whole numbers of all sizes. */
function indexCases(): Case[] {
  const marked = (n: number, marks: readonly number[]) =>
    f32([...f32(n).data].map((value, i) => (i % 5 === 2 ? marks[i % marks.length] : value)));
  const shapes = [
    ...sizes.flatMap((length) => [1, 3, 5].map((inner) => [4, length, inner] as const)),
    [2, 300, 1] as const,
    [2, 5, 600] as const,
  ];
  const kinds = { equal: [2], infinite: [Infinity, -Infinity], "not a number": [Number.NaN, Infinity] };
  const argMax = shapes.flatMap(([outer, length, inner]) =>
    Object.entries({ plain: [0], ...kinds }).map(([name, marks]) => {
      const x = marked(outer * length * inner, marks);
      return plain("argMax", `${outer}x${length}x${inner} ${name}`, { y: i32(outer * inner), x, outer, length, inner });
    }),
  );
  const low = f32(12).data.fill(-Infinity);
  return [
    ...argMax,
    plain("argMax", "of nothing but -Infinity", { y: i32(3), x: f32(low), outer: 3, length: 4, inner: 1 }),
    ...[...sizes, 9000].map((n) => plain("toF32", `${n}`, { y: f32(n), x: i32(n, -(2 ** 24), 2 ** 24), n })),
  ];
}

function matmulCases(): Case[] {
  const shapes: [number, number, number][] = [
    ...sizes.map((n): [number, number, number] => [n, n, n]),
    [1, 33, 17],
    [33, 1, 17],
    [17, 33, 1],
    [6, 8, 400],
    [13, 100, 70],
    [70, 12, 33],
    [100, 65, 129],
    [39, 70, 1100],
  ];
  return shapes.flatMap(([m, n, k]) => {
    const whole = Math.ceil(n / 16) * 16 * k;
    const packing = [0, 1].map((transposed) =>
      plain("packPanels", `${n}x${k} ${"NT"[transposed]}`, { y: f32(whole), b: f32(n * k), n, k, transposed }),
    );
    const products = [0, 1].flatMap((transposeA) =>
      [0, 1, 2].flatMap((transposeB) =>
        // A batch of nine goes to few threads in whole products, to more in strips.
        [1, 3, ...(k === 33 ? [9] : [])].map((batch) => {
          const extra = batch === 3;
          return plain("matmul", `${batch}x${m}x${n}x${k} ${"NT"[transposeA]}${"NTP"[transposeB]}`, {
            c: f32(batch * m * n),
            sums: transposeB === 0 ? f32(batch * m) : null,
            a: f32(batch * m * k),
            b: f32(transposeB === 2 ? whole : k * n),
            bias: extra ? f32(n) : null,
            batch,
            m,
            n,
            k,
            strideA: m * k,
            strideB: 0,
            strideC: m * n,
            transposeA,
            transposeB,
            accumulate: extra ? 1 : 0,
            alpha: extra ? 0.5 : 1,
          });
        }),
      ),
    );
    return [...packing, ...products];
  });
}

/** Products of matrices with themselves: few threads compute half of them. */
function symmetricCases(): Case[] {
  return [1, 3, 5, 8, 17, 36, 100, 134, 1040].flatMap((n) =>
    (n < 1000 ? [1, 33, 600] : [8]).flatMap((k) =>
      [0, 1].flatMap((transposeA) =>
        (n < 1000 ? [1, 9] : [2]).map((batch) => {
          const x = f32(batch * n * k);
          const [transposeB, stride] = [1 - transposeA, n * k];
          return plain("matmul", `${batch} of ${n}x${k} by themselves, ${transposeA ? "TN" : "NT"}`, {
            c: f32(batch * n * n),
            sums: null,
            a: x,
            b: x,
            bias: null,
            batch,
            m: n,
            n,
            k,
            strideA: stride,
            strideB: stride,
            strideC: n * n,
            transposeA,
            transposeB,
            accumulate: 0,
            alpha: 0.5,
          });
        }),
      ),
    ),
  );
}

/** Numbers of every size that halves have, and beyond; and where these lie between two halves. */
function halvesCases(): Case[] {
  const special = [
    0,
    -0,
    1,
    -1,
    65504,
    65519,
    -65520,
    1e6,
    2 ** -14,
    2 ** -24,
    2 ** -25,
    -(2 ** -25) * 1.5,
    2 ** -26,
    1 + 2 ** -11,
  ];
  const all = [...special, 1 + 3 * 2 ** -11, ...Array.from({ length: 3000 }, (_, i) => random() * 2 ** ((i % 44) - 26))];
  return [1, 2, 7, 15, 2051].flatMap((n) => {
    const x = f32(all.slice(0, n));
    const words = packed(x.data);
    return [
      plain("packHalves", `${n}`, { y: i32(words.length), x, n }),
      plain("unpackHalves", `${n}`, { y: f32(n), x: { type: "i32", data: words }, n }),
    ];
  });
}

/** What `packHalves` makes of numbers. */
function packed(x: Float64Array): Float64Array {
  const y = new Float64Array(Math.ceil(x.length / 2));
  kernels.packHalves.reference({ y, x, n: x.length });
  return y;
}

function attentionCases(): Case[] {
  const shapes: [number, number, number, number, number][] = [
    [3, 2, 4, 4, 8],
    [2, 3, 16, 16, 5],
    [2, 1, 1, 33, 16],
    [2, 2, 17, 3, 33],
    [1, 2, 40, 600, 8],
    [4, 1, 5, 5, 64],
  ];
  return shapes.flatMap(([groups, heads, lq, lk, headDim]) =>
    ["", "keep", "labels", "rows apart"].flatMap((mask) => {
      if (mask === "labels" && lq !== lk) return [];
      const width = heads * headDim;
      const apart = mask === "rows apart" ? [2 * width, 3, width + 8] : [0, 0, 0];
      const [queryRow, keyRow, valueRow] = apart.map((gap) => width + gap);
      const reach = (rows: number, row: number) => f32((rows - 1) * row + width);
      const [q, k, v] = [reach(groups * lq, queryRow), reach(groups * lk, keyRow), reach(groups * lk, valueRow)];
      const keep =
        mask === "keep" ? f32(Array.from({ length: groups * lk }, (_, i) => (i < lk ? 0 : Number(i % 3 !== 1)))) : null;
      const labels = mask === "labels" ? i32(lk, 0, 1) : null;
      const rows = { queryRow, keyRow, valueRow };
      const shape = { groups, heads, lq, lk, headDim, ...rows, labelGroups: 1, scale: 1 / Math.sqrt(headDim), keep, labels };
      const forward = plain("attention", `${groups}x${heads} ${lq}x${lk}x${headDim} ${mask}`, {
        o: f32(groups * lq * width),
        lse: f32(groups * heads * lq),
        q,
        k,
        v,
        ...shape,
      });
      const [o, lse] = expected(forward.call) as [Float64Array, Float64Array];
      const backward = plain("attentionGrad", `${groups}x${heads} ${lq}x${lk}x${headDim} ${mask}`, {
        dq: f32(q.data.length),
        dk: f32(k.data.length),
        dv: f32(v.data.length),
        dO: f32(groups * lq * width),
        q,
        k,
        v,
        o: f32(o),
        lse: f32(lse),
        ...shape,
      });
      return [forward, backward];
    }),
  );
}

const kinds = [
  opcodeCases,
  layoutCases,
  reduceCases,
  rowCases,
  stillRowCases,
  moveCases,
  adamWCases,
  tinyAdamWCases,
  convolutionCases,
  randomCases,
  indexCases,
  matmulCases,
  symmetricCases,
  halvesCases,
  attentionCases,
];

/** A kernel that none of the kinds is about is held to the calls that the ops' cases make of it. */
export function cases(): Case[] {
  const own = kinds.flatMap((kind) => {
    restart();
    return kind();
  });
  const covered = new Set<string>(own.map(({ call }) => call.kernel));
  return [...own, ...opCalls(kernelNames.filter((name) => !covered.has(name)))];
}
