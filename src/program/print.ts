/** Programs as text. */
import { showShape } from "../base/shape.js";
import type { Anatomy, Operand, PlacedCall } from "./anatomy.js";

/** A count with the prefix that leaves at most three figures before its point: 4.19 M. */
export function showCount(n: number): string {
  const [size, prefix] = [1e12, 1e9, 1e6, 1e3].map((unit, i) => [unit, "TGMk"[i]] as const).find(([unit]) => n >= unit) ?? [
    1,
    "",
  ];
  return prefix === "" ? String(n) : `${Number((n / size).toPrecision(3))} ${prefix}`;
}

/** Bytes in binary units. */
export function showBytes(bytes: number): string {
  const [size, name] = (
    [
      [2 ** 30, "GiB"],
      [2 ** 20, "MiB"],
      [2 ** 10, "KiB"],
    ] as const
  ).find(([unit]) => bytes >= unit) ?? [1, "B"];
  return `${Number((bytes / size).toPrecision(3))} ${name}`;
}

function showOperand({ role, name, home, place, type, shape }: Operand): string {
  const kind = home === "arena" ? "" : `${home} `;
  const bytes = place ? ` @${place.arena > 0 ? `${place.arena}:` : ""}${place.from}..${place.to}` : "";
  return `${role} ${kind}${name} ${type === "f32" ? "" : `${type} `}${showShape(shape)}${bytes}`;
}

function showWork({ multiplyAdds, elementOps, bytes }: PlacedCall): string {
  const parts = [
    ...(multiplyAdds > 0 ? [`${showCount(multiplyAdds)} multiply-adds`] : []),
    ...(elementOps > 0 ? [`${showCount(elementOps)} element ops`] : []),
    showBytes(bytes),
  ];
  return parts.join(", ");
}

/** Most names of what a call writes over. */
const longest = 8;

/** One call: its number, kernel, op and scope; what it writes <- what it reads; its work; what it writes over. Numbers behind
 *  `@` are the bytes of the arena that an operand is, after the number of the arena where that is not the first. */
export function showCall({ calls }: Anatomy, index: number): string {
  const call = calls[index];
  const { kernel, op, scope, operands, overwrites } = call;
  const list = (writes: boolean) =>
    operands
      .filter((own) => own.writes === writes)
      .map(showOperand)
      .join(", ");
  const parameters = operands.flatMap(({ writes, home, name }) => (writes && home === "parameter" ? [name] : []));
  const names = [...parameters, ...overwrites.flatMap(({ home, name }) => (home === "parameter" ? [] : [name]))];
  const more = names.length > longest ? ` and ${names.length - longest} more` : "";
  const over = names.length > 0 ? ` | over ${names.slice(0, longest).join(", ")}${more}` : "";
  const what = kernel === op ? kernel : `${kernel} (${op})`;
  return `${index}: ${what}${scope ? ` in ${scope}` : ""} | ${list(true)} <- ${list(false) || "nothing"} | ${showWork(call)}${over}`;
}

/** The whole program: its size in two lines, then a line a call. */
export function showProgram(
  anatomy: Anatomy,
  bytes: Readonly<Record<"arena" | "parameters" | "constants" | "inputs", number>>,
): string {
  const { calls, intervals } = anatomy;
  const sum = (of: (call: PlacedCall) => number) => calls.reduce((total, call) => total + of(call), 0);
  const width = String(calls.length - 1).length;
  return [
    `program: ${calls.length} calls in ${intervals} intervals; ${showCount(sum((c) => c.multiplyAdds))} multiply-adds, ` +
      `${showCount(sum((c) => c.elementOps))} element ops, ${showBytes(sum((c) => c.bytes))} moved`,
    `memory: ${Object.entries({
      arena: bytes.arena,
      parameters: bytes.parameters,
      constants: bytes.constants,
      inputs: bytes.inputs,
    })
      .map(([name, size]) => `${name} ${showBytes(size)}`)
      .join(", ")}`,
    ...calls.map((_, i) => `${" ".repeat(width - String(i).length)}${showCall(anatomy, i)}`),
  ].join("\n");
}
