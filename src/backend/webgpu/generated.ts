/** Fused calls as WGSL: a line an instruction. */
import type { Slot } from "../device.js";
import type { FusedCall } from "../kernels/fused.js";
import { type Instruction, opcodes } from "../kernels/opcodes.js";
import type { ReduceCall } from "../kernels/reduce.js";
import { lanesOfSums as lanes, lanesOfElements, lanesOfSum, type SharedArray, type Ways } from "./launches.js";
import type { Rider } from "./riders.js";
import { type Body, float, laneSums, library } from "./text.js";

const functions = [...library.values()];
const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);

/** An element's value of a read: its index on every axis times the axis's stride. */
function place(strides: readonly number[], indices: readonly string[]): string {
  const terms = strides.flatMap((stride, axis) => {
    if (stride === 0) return [];
    return [stride === 1 ? indices[axis] : `${indices[axis]} * ${stride}`];
  });
  return terms.length === 0 ? "0" : terms.join(" + ");
}

/** The lines of instructions. Operands count reads, then constants, then the rest, which are variables. */
function lines(code: readonly Instruction[]): string[] {
  return code.map(([opcode, to, ...operands]) => {
    // A compiler may take x - x for 0, though it is so of finite numbers only: that is how a step sees that it went wrong.
    if (opcode === "sub" && operands[0] === operands[1]) return `  v${to} = self_difference(v${operands[0]});`;
    const given = operands.slice(0, opcodes[opcode].arity).map((operand) => `v${operand}`);
    return `  v${to} = op_${opcode}(${given.join(", ")});`;
  });
}

const variables = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `  var v${from + i} = 0.0;`);

/** How the instructions of a fused call come by their elements: reads by their numbers, and where results go. */
interface Access {
  read(operand: number, place: string): string;
  write(operand: number): string;
}

/** What a lane does with element `i` of a fused call. */
function elementLines({ dims, reads, constants, writes, temporaries, code }: FusedCall<Slot>, access: Access): string[] {
  const names = ["a", "b", "c", "d"];
  const indices = dims.map((size, axis) => {
    const inner = product(dims.slice(axis + 1));
    if (size === 1) return "";
    const whole = inner === 1 ? "i" : `i / ${inner}`;
    return `  let ${names[axis]} = ${axis === 0 ? whole : `${whole} % ${size}`};`;
  });
  const firstWrite = reads.length + constants.length;
  const strided = (strides: readonly number[]) =>
    place(
      strides.map((stride, axis) => (dims[axis] === 1 ? 0 : stride)),
      names,
    );
  return [
    ...indices.filter(Boolean),
    // All is read before anything is written: a write may be in place.
    ...reads.map(({ strides }, operand) => `  var v${operand} = ${access.read(operand, strided(strides))};`),
    ...constants.map((value, operand) => `  var v${reads.length + operand} = ${float(value)};`),
    ...variables(firstWrite, writes.length + temporaries),
    ...lines(code),
    ...writes.map((_, operand) => `  ${access.write(operand)}(i, v${firstWrite + operand});`),
  ];
}

/** A lane an element of the domain. */
export function fusedBody(call: FusedCall<Slot>): Body {
  const access = {
    read: (operand: number, at: string) => `read_x${operand}(${at})`,
    write: (operand: number) => `write_y${operand}`,
  };
  const body = ["fn element(i: i32) {", ...elementLines(call, access), "}"];
  return { kind: "elements", lanes: lanesOfElements, count: product(call.dims), library: functions, text: body.join("\n") };
}

/** What a lane goes on with when it has written element `i` of the call before. */
export function riderText({ call, own }: Rider<Slot>): Pick<Body, "library" | "text"> {
  const access = {
    read: (operand: number, at: string) => (own.has(operand) ? "carried" : `read_rider_x${operand}(${at})`),
    write: (operand: number) => `write_rider_y${operand}`,
  };
  const body = ["fn ride(i: i32, carried: f32) {", ...elementLines(call, access), "}"];
  return { library: functions, text: body.join("\n") };
}

/** Every workgroup makes `outputs` neighbouring sums; `parts` lanes share one, each taking every parts-th row. Of one sum alone, subgroups
 *  put together what the lanes have. */
export function reduceBody(call: ReduceCall<Slot>, ways: Ways): Body {
  const { mode, dims, chunk } = call;
  const [outer, rows, inner] = dims;
  const chunks = Math.ceil(rows / chunk);
  const all = outer * chunks * inner;
  const parts = lanesOfSum(call);
  const outputs = lanes / parts;
  const sums = mode === "sum";
  const none = sums ? "0.0" : float(Number.NEGATIVE_INFINITY);
  const total = [
    `fn total(output: i32, part: i32) -> f32 {`,
    `  let column = output % ${inner};`,
    `  let first = output / ${inner} % ${chunks} * ${chunk};`,
    `  let end = min(first + ${chunk}, ${rows});`,
    `  var total = ${none};`,
    `  for (var row = first + part; row < end; row += ${parts}) {`,
    `    let own = value(output / ${inner * chunks}, row, column);`,
    `    total = ${sums ? "total + own" : "max(total, own)"};`,
    "  }",
    "  return total;",
    "}",
  ];
  const bySubgroups = ways.subgroups && outputs === 1;
  const added = laneSums("f32", lanes, ways);
  const bySums = [
    `const lanes: i32 = ${lanes};`,
    added.text,
    "fn group(index: i32, lane: i32) {",
    `  let all = ${sums ? "sumOf" : "largestOf"}(total(index, lane), lane);`,
    "  if (lane == 0) { write_y(index, all); }",
    "}",
  ];
  const alone = ["fn element(i: i32) { write_y(i, total(i, 0)); }"];
  const shared = [
    "fn group(index: i32, lane: i32) {",
    `  let output = index * ${outputs} + lane % ${outputs};`,
    `  let part = lane / ${outputs};`,
    `  partial[lane] = ${none};`,
    `  if (output < ${all}) { partial[lane] = total(output, part); }`,
    `  for (var half = ${Math.floor(parts / 2)}; half > 0; half /= 2) {`,
    "    workgroupBarrier();",
    `    if (part < half) {`,
    `      let other = partial[lane + half * ${outputs}];`,
    `      partial[lane] = ${sums ? "partial[lane] + other" : "max(partial[lane], other)"};`,
    "    }",
    "  }",
    `  if (part == 0 && output < ${all}) { write_y(output, partial[lane]); }`,
    "}",
  ];
  const text = [...valueLines(call), ...total, ...(parts === 1 ? alone : bySubgroups ? bySums : shared)].join("\n");
  if (parts === 1) return { kind: "elements", lanes: lanesOfElements, count: all, library: functions, text };
  const arrays: readonly SharedArray[] = bySubgroups ? added.arrays : [{ name: "partial", type: "f32", count: lanes }];
  return { kind: "groups", lanes, count: Math.ceil(all / outputs), bySubgroups, arrays, library: functions, text };
}

/** What is summed, an element of it. */
function valueLines({ reads, constants, temporaries, code, result }: ReduceCall<Slot>): string[] {
  const firstFree = reads.length + constants.length;
  return [
    "fn value(a: i32, b: i32, c: i32) -> f32 {",
    ...reads.map(({ strides }, operand) => `  var v${operand} = read_x${operand}(${place(strides, ["a", "b", "c"])});`),
    ...constants.map((number, operand) => `  var v${reads.length + operand} = ${float(number)};`),
    ...variables(firstFree, temporaries),
    ...lines(code),
    `  return v${result};`,
    "}",
  ];
}
