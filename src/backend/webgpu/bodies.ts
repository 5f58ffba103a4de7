/** What kernels do, as WGSL, whatever memory they use: a body of `wgsl/` and the call's numbers, or a fused call's instructions. */
import { type KernelCall, kernelOf } from "../calls.js";
import type { Slot } from "../device.js";
import { fusedBody, reduceBody } from "./generated.js";
import { launchesOf, numbersOf, type Ways } from "./launches.js";
import { type Body, float, integer, laneSums, library, numberType } from "./text.js";
import { bodies } from "./wgsl.generated.js";

/** The bodies of a call: two for the gradient of attention, that of queries, and that of keys and values. */
export function bodiesOf(call: KernelCall<Slot>, ways: Ways): readonly Body[] {
  if (call.kernel === "fused") return [fusedBody(call)];
  if (call.kernel === "reduce") return [reduceBody(call, ways)];
  const args: Readonly<Record<string, unknown>> = call.args;
  const spec = kernelOf(call.kernel);
  const numbers = numbersOf(call);
  const constants = [
    ...Object.entries(spec.numbers).map(([name, role]) =>
      role === "int" ? `const ${name}: i32 = ${integer(numbers[name])};` : `const ${name}: f32 = ${float(numbers[name])};`,
    ),
    ...Object.entries(spec.buffers).flatMap(([name, { optional, type, access }]) => {
      if (!optional) return [];
      const isThere = args[name] !== null;
      const nothing = [
        `fn read_${name}(i: i32) -> ${numberType(type)} { return ${type === "f32" ? "0.0" : "0"}; }`,
        ...(access === "write" ? [`fn write_${name}(i: i32, value: ${numberType(type)}) {}`] : []),
      ];
      return [`const has_${name} = ${isThere};`, ...(isThere ? [] : nothing)];
    }),
    ...(call.kernel === "sinusoid" ? [frequencyParts(call.args)] : []),
  ];
  return launchesOf(call.kernel, numbers, ways.tileOf).map(({ kind, lanes, files, count, value, ...own }) => {
    const sums = value && laneSums(value, lanes, ways);
    const given = Object.entries({ lanes, ...own.constants });
    return {
      ...{ kind, lanes, count: count(numbers), bySubgroups: value !== undefined && ways.subgroups },
      ...{ arrays: sums?.arrays ?? own.arrays ?? [] },
      library: files.flatMap((file) => library.get(file) ?? []),
      text: [
        ...given.map(([name, size]) => `const ${name}: i32 = ${size};`),
        ...constants,
        ...(sums ? [sums.text] : []),
        ...files.flatMap((file) => (library.has(file) ? [] : [bodies[file]])),
      ].join("\n"),
    };
  });
}

/** Quarters of a turn a unit of time, each as four numbers of 12 bits that sum up to it. */
function frequencyParts({ half, maxPeriod }: { readonly half: number; readonly maxPeriod: number }): string {
  const rows = Array.from({ length: half }, (_, k) => {
    let rest = (maxPeriod ** (-k / half) * 2) / Math.PI;
    const parts = Array.from({ length: 4 }, () => {
      const step = 2 ** (Math.floor(Math.log2(rest || 1)) - 11);
      const own = Math.floor(rest / step) * step;
      rest -= own;
      return float(own);
    });
    return `vec4<f32>(${parts.join(", ")})`;
  });
  return [
    `const frequencyTable = array<vec4<f32>, ${half}>(${rows.join(", ")});`,
    "fn frequency_parts(k: i32) -> vec4<f32> { return frequencyTable[k]; }",
  ].join("\n");
}
