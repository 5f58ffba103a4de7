/**
 * The source of `assembly/gemm-micro.generated.ts`: the innermost loops of every matrix product, one function for each count
 * of rows and each way of storing A. AssemblyScript has no arrays of registers, so that the accumulators of a tile must be spelled out one by one.
 */
import { keysOf } from "../src/base/options.js";

/** Vectors in a row of a panel of eight and of sixteen columns; a build uses one of them and drops the other. */
const widths = [2, 4] as const;
/** Registers that hold such a row: of four vectors, the engine makes two. */
const rowRegisters = 2;
/** Rows of the tiles. */
const heights = [6, 4, 2, 1] as const;

/** How a tile finds its rows of A: by any strides, along rows that are contiguous in k, or packed by `packTiles`. */
type Kind = "strided" | "rows" | "packed";
interface Reading {
  readonly name: string;
  readonly about: string;
  readonly heights: readonly number[];
  /** Steps of k in one turn of the loop, by `widths`: what was fastest. */
  readonly turns: readonly [number, number];
  readonly parameters: string;
}
const kinds: Record<Kind, Reading> = {
  strided: { name: "tile", about: "", heights, turns: [2, 2], parameters: "a: usize, aRow: usize, aStep: usize" },
  rows: {
    name: "rowTile",
    about: " of an A whose rows are contiguous: a pointer a row, offsets along it",
    heights,
    turns: [8, 8],
    parameters: "a: usize, aRow: usize",
  },
  packed: {
    name: "packedTile",
    about: " of an A packed by `packTiles`: offsets from one pointer",
    heights: [6, 4],
    turns: [4, 8],
    parameters: "a: usize",
  },
};
const targets = "c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32";

/** Vector registers that V8 gives out. */
const registers = 15;

const each = (count: number, line: (i: number) => string, between = " ") =>
  Array.from({ length: count }, (_, i) => line(i)).join(between);

/** The loop over k and the writing of C, for `height` rows of `vectors` vectors. */
function body(height: number, vectors: (typeof widths)[number], kind: Kind): string {
  const turns = kinds[kind].turns[widths.indexOf(vectors)];
  const element = (i: number, turn: number) => {
    if (kind === "packed") return `a, ${4 * (height * turn + i)}`;
    return kind === "rows" ? `a${i}, ${4 * turn}` : `a${i}`;
  };
  /** `count` steps of k in a turn, fenced wherever the loads since the last fence would no longer fit the registers. */
  const steps = (count: number) => {
    const spare = registers - height * rowRegisters;
    let [loaded, fences] = [0, 0];
    /** The fence that so many loads need before them; of those before a fence, `kept` are still in use behind it. */
    const load = (loads: number, kept: number) => {
      const fits = loaded + loads <= spare;
      loaded = (fits ? loaded : kept) + loads;
      return fits || count === 1 ? "" : `      if (left == ${-++fences}) break;\n`;
    };
    return each(
      count,
      (turn) => {
        // A row's first load comes with those of B.
        const lines = [
          `${load(rowRegisters + 1, 0)}      {\n      const ${each(vectors, (j) => `b${j} = v128.load(b, ${16 * j})`, ", ")};`,
        ];
        for (let i = 0; i < height; i++) {
          const products = each(vectors, (j) => `c${i}${j} = fma(x, b${j}, c${i}${j});`);
          const onward = kind === "strided" ? ` a${i} += aStep;` : "";
          const fence = i === 0 ? "" : load(1, rowRegisters);
          lines.push(`${fence}      ${i === 0 ? "let " : ""}x = v128.load32_splat(${element(i, turn)}); ${products}${onward}`);
        }
        return [...lines, "      b += bStep;", "      }"].join("\n");
      },
      "\n",
    );
  };
  const onward = (count: number) => {
    if (kind === "strided") return [];
    if (kind === "packed") return [`      a += ${4 * height * count};`];
    return [`      ${each(height, (i) => `a${i} += ${4 * count};`)}`];
  };
  const pointers = `    let ${each(height, (i) => `a${i} = ${i === 0 ? "a" : `a${i - 1} + aRow`}`, ", ")};`;
  // A row's addends are read before any of it is written: two halves of a 256-bit load may not have a store between them.
  const finish = Array.from({ length: height }, (_, i) => {
    const own = each(vectors, (j) => `y${j} = f32x4.add(f32x4.mul(factor, c${i}${j}), v128.load(addend, ${16 * j}))`, ", ");
    const stores = each(vectors, (j) => `v128.store(c, y${j}, ${16 * j});`);
    return `    ${i === 0 ? `let ${own}` : own.replaceAll(", y", "; y")}; ${stores}${i < height - 1 ? " c += cRow; addend += addendRow;" : ""}`;
  });
  return [
    ...(kind === "packed" ? [] : [pointers]),
    `    let ${each(height, (i) => each(vectors, (j) => `c${i}${j} = zero`, ", "), ", ")};`,
    "    let left = k;",
    `    for (; left >= ${turns}; left -= ${turns}) {`,
    steps(turns),
    ...onward(turns),
    "    }",
    "    for (; left > 0; left--) {",
    steps(1),
    ...onward(1),
    "    }",
    "    const factor = f32x4.splat(alpha);",
    ...finish,
  ].join("\n");
}

function tile(height: number, kind: Kind): string {
  const [two, four] = widths.map((vectors) => body(height, vectors, kind));
  const { name, about, parameters } = kinds[kind];
  return [
    `/** C = alpha·A·B + addend for a tile of ${height} row${height > 1 ? "s" : ""}${about}. */`,
    "// @ts-ignore: decorator",
    "@inline",
    `export function ${name}${height}(`,
    `  k: i32, ${parameters}, b: usize, bStep: usize, ${targets},`,
    "): void {",
    "  const zero = f32x4.splat(0);",
    "  if (panelColumns == 8) {",
    two,
    "  } else {",
    four,
    "  }",
    "}",
  ].join("\n");
}

/** The loop over the rows of a product, in tiles of A in place. */
function panel(kind: "strided" | "rows"): string {
  const { name, parameters } = kinds[kind];
  const step = (height: number) => {
    const own = parameters.replaceAll(": usize", "");
    const call = `${name}${height}(k, ${own}, b, bStep, c, cRow, addend, addendRow, alpha);`;
    const onward = `m -= ${height}; a += ${height} * aRow; c += ${height} * cRow; addend += ${height} * addendRow;`;
    // Eight rows go as 4 + 4: two rows alone wait for their own sums.
    if (height === 6) return `  while (tileRows == 6 && m >= 6 && m != 8) { ${call} ${onward} }`;
    if (height === 4) return `  while (m >= 4) { ${call} ${onward} }`;
    return height === 1 ? `  if (m == 1) ${call}` : `  if (m >= ${height}) { ${call} ${onward} }`;
  };
  return [
    `/** C [m, panelColumns] = alpha·A·B + addend, A read by \`${name}\`s. */`,
    `export function ${kind}Panel(`,
    `  m: i32, k: i32, ${parameters}, b: usize, bStep: usize, ${targets},`,
    "): void {",
    ...heights.map(step),
    "}",
  ].join("\n");
}

/** The tile's arithmetic without its loads: what the processor could do if memory were free. */
function residentTile(): string {
  const [height] = heights;
  const loop = (vectors: number) =>
    [
      `    let ${each(height, (i) => each(vectors, (j) => `c${i}${j} = x`, ", "), ", ")};`,
      "    for (let left = k; left > 0; left--) {",
      `      ${each(height, (i) => each(vectors, (j) => `c${i}${j} = fma(x, y, c${i}${j});`))}`,
      "    }",
      `    ${each(height, (i) => each(vectors, (j) => `v128.store(c, c${i}${j}, ${16 * (i * vectors + j)});`))}`,
    ].join("\n");
  return [
    `/** k steps of a tile of ${height} rows on operands that stay in registers; the sums go to c. */`,
    "export function residentTile(k: i32, a: usize, c: usize): void {",
    "  const x = v128.load(a), y = v128.load(a, 16);",
    "  if (panelColumns == 8) {",
    loop(widths[0]),
    "  } else {",
    loop(widths[1]),
    "  }",
    "}",
  ].join("\n");
}

export const microKernelsSource = (): string =>
  [
    "// Generated by scripts/micro-kernels.ts.",
    "//",
    "// A small tile of C stays in registers while k runs: element (i, k) of A is at a + i·aRow + k·aStep, row k of B at b + k·bStep;",
    "// strides are in bytes. Every element of C is the same chain of fma over ascending k in whatever tile it falls, so how C is cut",
    "// never shows.",
    "//",
    "// What is written is alpha·sum + addend, the product rounded first, as everywhere in the engine.",
    "//",
    "// The breaks between the rows are never taken. They keep V8 before 12.8 from hoisting all loads above the arithmetic, which",
    "// would spill the accumulators and halve the speed. Steps of k in one turn of the loop share what the turn costs, and of a few turns",
    "// processors foresee the last. Tiles that are inlined into the loop over the rows save the passing of a dozen arguments, a tenth of",
    "// a short tile's time.",
    'import { panelColumns, tileRows } from "./gemm-geometry";',
    'import { fma } from "./simd";',
    "",
    ...keysOf(kinds).flatMap((kind) => kinds[kind].heights.map((height) => `${tile(height, kind)}\n`)),
    ...(["strided", "rows"] as const).map((kind) => `${panel(kind)}\n`),
    `${residentTile()}\n`,
  ].join("\n");
