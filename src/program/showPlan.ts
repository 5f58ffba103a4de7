import { checkValue } from "../base/options.js";
import type { Anatomy } from "./anatomy.js";
import { showBytes } from "./print.js";
import { Program } from "./program.js";

/** Cells of the chart: columns are stretches of calls, rows stretches of the arena. */
const [mostColumns, mostRows] = [96, 24];
/** Tensors that get a letter of their own. */
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * A program's memory plan: a chart of the arena over the calls, the fullest call and what it holds, then every tensor's place and life.
 * @throws ConfigError when it is no program
 */
export function showPlan(program: Program): string {
  const rule = { text: "a program, as compile makes them", holds: (value: unknown) => value instanceof Program };
  checkValue("showPlan", "the argument", program, rule);
  const { anatomy, bytes } = program;
  const { held, calls, arenas } = anatomy;
  const several = arenas.length > 1 ? `in ${arenas.length} arenas ` : "";
  const head =
    `arena: ${bytes.arena} bytes (${showBytes(bytes.arena)}) ${several}for ${held.length} tensors of ${calls.length} calls; ` +
    `outside it: parameters ${showBytes(bytes.parameters)}, constants ${showBytes(bytes.constants)}, inputs ${showBytes(bytes.inputs)}`;
  if (held.length === 0) return head;
  const charts = arenas.flatMap((_, i) => ["", ...(several ? [`arena ${i}`] : []), ...chart(anatomy, i)]);
  return [head, "", ...peak(anatomy, bytes.arena), ...charts, "", ...table(anatomy)].join("\n");
}

type Held = Anatomy["held"][number];
const sizeOf = ({ stay }: Held): number => stay.to - stay.from;
const alive = ({ stay }: Held, call: number): boolean => stay.first <= call && call <= stay.last;

/** Bytes in use at every call. */
export function liveBytes({ held, calls }: Pick<Anatomy, "held" | "calls">): number[] {
  const change = new Array<number>(calls.length + 2).fill(0);
  for (const own of held) {
    change[own.stay.first] += sizeOf(own);
    change[own.stay.last + 1] -= sizeOf(own);
  }
  let live = 0;
  return calls.map((_, call) => {
    live += change[call];
    return live;
  });
}

function peak(anatomy: Anatomy, arenaBytes: number): string[] {
  const { held, calls } = anatomy;
  const live = liveBytes(anatomy);
  const most = live.reduce((a, b) => Math.max(a, b), 0);
  const at = live.indexOf(most);
  const there = held.filter((own) => alive(own, at)).sort((a, b) => sizeOf(b) - sizeOf(a));
  const { kernel, op, scope } = calls[at];
  const shown = there.slice(0, 12);
  return [
    `peak: call ${at}, ${kernel}${kernel === op ? "" : ` (${op})`}${scope ? ` in ${scope}` : ""}: ${showBytes(most)} in use, ` +
      `${((100 * most) / arenaBytes).toFixed(1)} % of the arena, by ${there.length} ${there.length === 1 ? "tensor" : "tensors"}`,
    ...shown.map((own) => `  ${showBytes(sizeOf(own)).padStart(9)}  ${own.name}, calls ${lifeOf(own, calls.length)}`),
    ...(there.length > shown.length ? [`  and ${there.length - shown.length} smaller`] : []),
  ];
}

/** Time to the right, addresses downwards: a cell shows who has most of its bytes at its first call, if half of them are taken. */
function chart({ held, calls, arenas }: Anatomy, index: number): string[] {
  const arenaBytes = arenas[index];
  const own = held.filter(({ stay }) => stay.arena === index);
  const columns = Math.min(mostColumns, calls.length);
  const rows = Math.min(mostRows, Math.ceil(arenaBytes / 64));
  const area = (one: Held) => sizeOf(one) * (one.stay.last - one.stay.first + 1);
  const largest = [...own].sort((a, b) => area(b) - area(a)).slice(0, letters.length);
  const letterOf = new Map(largest.map((one, i) => [one, letters[i]]));
  const startOf = (row: number) => Math.floor((row * arenaBytes) / rows);
  const columnsAlive = Array.from({ length: columns }, (_, column) => {
    const call = Math.floor((column * calls.length) / columns);
    return own.filter((one) => alive(one, call));
  });
  const cell = (row: number, living: readonly Held[]): string => {
    const [from, to] = [startOf(row), startOf(row + 1)];
    const shares = living
      .map((one) => ({ one, bytes: Math.min(one.stay.to, to) - Math.max(one.stay.from, from) }))
      .filter(({ bytes }) => bytes > 0);
    if (shares.reduce((sum, { bytes }) => sum + bytes, 0) * 2 < to - from) return " ";
    const { one } = shares.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    return letterOf.get(one) ?? "·";
  };
  const cells = Array.from({ length: rows }, (_, row) => columnsAlive.map((living) => cell(row, living)).join(""));
  const width = Math.max(4, String(arenaBytes).length);
  return [
    `${"byte".padStart(width)}  calls 0..${calls.length - 1} to the right; blank: free, ·: other tensors`,
    ...cells.map((line, row) => `${String(startOf(row)).padStart(width)} |${line}|`),
    ...largest
      .filter((one) => cells.some((line) => line.includes(letterOf.get(one) ?? "")))
      .map((one) => `  ${letterOf.get(one)}  ${one.name}, ${showBytes(sizeOf(one))}`),
  ];
}

const lifeOf = ({ stay: { first, last } }: Held, calls: number): string => `${first}..${last >= calls ? "end" : last}`;

function table({ held, calls, arenas }: Anatomy): string[] {
  const width = String(Math.max(...arenas)).length;
  const several = arenas.length > 1;
  return [
    `${several ? "arena  " : ""}${"from".padStart(width)}  ${"to".padStart(width)}  calls        tensor`,
    ...held.map((own) => {
      const { arena, from, to } = own.stay;
      const place = `${String(from).padStart(width)}  ${String(to).padStart(width)}`;
      return `${several ? `${String(arena).padStart(5)}  ` : ""}${place}  ${lifeOf(own, calls.length).padEnd(11)}  ${own.name}`;
    }),
  ];
}
