import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { referencePlanning } from "../../src/backend/reference/planning.js";
import { type WasmDevice, wasm } from "../../src/backend/wasm/device.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import { DeviceError } from "../../src/base/errors.js";
import {
  type Anatomy,
  compile,
  constant,
  input,
  linear,
  log,
  mul,
  parameter,
  reference,
  scope,
  showGraph,
  showPlan,
  softmax,
  square,
  sum,
} from "../../src/index.js";
import { adamW, gradientsOf, MLP, Seed } from "../../src/nn/index.js";
import type { Stretch } from "../../src/program/regions.js";
import { liveBytes } from "../../src/program/showPlan.js";
import { randomGraph } from "./randomGraphs.js";

let device: WasmDevice;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
});
afterAll(() => device.close());

/** A small training step. */
function training() {
  const model = new MLP({ width: 4, hidden: 32, out: 3 }, new Seed(0));
  const x = input([64, 4]);
  const loss = scope("loss", () => sum(square(softmax(model.forward(x)))));
  const { updates } = adamW(gradientsOf(loss, model.parameters()), { lr: 0.01 });
  return { inputs: { x }, outputs: { loss }, updates };
}

const overlap = (a: Omit<Stretch, "arena">, b: Omit<Stretch, "arena">): boolean => a.from < b.to && b.from < a.to;

/** What holds for every program. */
function checkAnatomy({ calls, held, arenas }: Anatomy): void {
  held.forEach(({ name, stay }, i) => {
    expect(stay.to, name).toBeLessThanOrEqual(arenas[stay.arena]);
    for (const other of held.slice(0, i)) {
      const meet = stay.first <= other.stay.last && other.stay.first <= stay.last;
      if (meet && stay.arena === other.stay.arena) expect(overlap(stay, other.stay), `${name} and ${other.name}`).toBe(false);
    }
  });
  const written = new Set<string>();
  const lastUse = new Map<string, number>();
  calls.forEach(({ operands, overwrites }, call) => {
    for (const { regions, elements, role, place } of operands) {
      const size = regions.reduce((sum, region) => sum + region.elements, 0);
      expect(elements, `${role} of call ${call}`).toBeLessThanOrEqual(size);
      for (const { name, stay } of regions) {
        if (!stay) continue;
        expect(stay.first, `${name} at call ${call}`).toBeLessThanOrEqual(call);
        expect(stay.last, `${name} at call ${call}`).toBeGreaterThanOrEqual(call);
        expect(place && overlap(place, stay)).toBe(true);
      }
    }
    const inArena = (writes: boolean) =>
      operands
        .filter((own) => own.writes === writes)
        .flatMap(({ regions }) => regions.filter(({ stay }) => stay).map((region) => JSON.stringify(region)));
    for (const key of inArena(false)) expect(written, `read by call ${call}`).toContain(key);
    for (const key of inArena(true)) written.add(key);
    for (const region of operands.flatMap(({ regions }) => regions)) lastUse.set(JSON.stringify(region), call);
    for (const { stay, home } of overwrites) expect(stay ? stay.last < call : home === "parameter").toBe(true);
  });
  // Nothing is kept longer than it is used, but for outputs, and for one call where the device does parts of it meanwhile.
  for (const region of held) {
    const used = lastUse.get(JSON.stringify(region)) ?? -1;
    expect([used, used + 1, calls.length], region.name).toContain(region.stay.last);
  }
}

describe("the anatomy of a program", () => {
  it.each([
    ["reference", reference()],
    ["wasm", wasmPlanning()],
  ] as const)("on %s: what lives together lies apart, and what is read was written and is still there", (_, own) => {
    fc.assert(
      fc.property(randomGraph, ({ inputs, outputs, updates }) => {
        const program = compile(own, { inputs, outputs, updates });
        checkAnatomy(program.anatomy);
        program.dispose();
      }),
      { numRuns: 200 },
    );
    checkAnatomy(compile(own, training()).anatomy);
  });

  it("is that of the device, of what only plans for it", () => {
    for (const [own, planning] of [
      [device, wasmPlanning()],
      [reference(), referencePlanning()],
    ] as const) {
      const spec = training();
      const [real, planned] = [compile(own, spec), compile(planning, spec)];
      expect(planned.anatomy).toEqual(real.anatomy);
      expect(planned.bytes).toEqual(real.bytes);
      expect(() => planned.repeat()).toThrow(DeviceError);
      real.dispose();
    }
  });
});

describe("String(program)", () => {
  it("has a line a call: kernel, op, scope, operands with names and shapes, and what is written over", () => {
    const program = compile(device, training());
    const [size, memory, ...lines] = String(program).split("\n");
    expect(size).toMatch(`program: ${program.steps.length} calls in ${program.intervals} intervals`);
    expect(memory).toMatch(/^memory: arena .*, parameters .*, constants .*, inputs 1 KiB$/);
    expect(lines).toHaveLength(program.steps.length);
    lines.forEach((line, i) => expect(line.trim()).toMatch(`${i}: ${program.steps[i].kernel}`));
    expect(lines[0].trim()).toMatch(
      /^0: matmul in loss \| c \S+ \[64, 32\] @\d+\.\.\d+ <- a input x \[64, 4\], b parameter first\.weight \[32, 4\], bias parameter first\.bias \[32\] \| 8\.19 k multiply-adds, 9\.63 KiB$/,
    );
    expect(lines.find((line) => line.includes("write loss []"))).toBeDefined();
    const update = lines.find((line) => line.includes("p1 parameter first.weight..second.bias"));
    expect(update).toMatch(
      / in adamW \| .*m1 parameter first\.weight\.m\.\.second\.bias\.m \[259\].* \| over first\.weight\.\.second\.bias, first\.weight\.m\./,
    );
    program.dispose();
  });

  it("tells two buffers of one place in memory apart by what was there before", () => {
    // Ten products one after the other take two places by turns.
    let x = input([16, 16]);
    const inputs = { x };
    for (let i = 0; i < 10; i++) x = linear(x, constant(new Float32Array(256), [16, 16]));
    const { calls } = compile(device, { inputs, outputs: { x } }).anatomy;
    const made = calls.map(({ operands }) => operands.find(({ writes }) => writes)?.regions[0]);
    for (let i = 2; i < 9; i++) expect(calls[i].overwrites).toEqual([made[i - 2]]);
  });
});

describe("showPlan", () => {
  /** Buffers of the table under the chart. */
  const rowsOf = (text: string) =>
    [...text.matchAll(/^ *(\d+) +(\d+) {2}(\d+)\.\.(\d+|end) +(\S.*)$/gm)].map(([, from, to, first, last, name]) => ({
      name,
      ...{
        from: Number(from),
        to: Number(to),
        first: Number(first),
        last: last === "end" ? Number.POSITIVE_INFINITY : Number(last),
      },
    }));

  it("lists every buffer: none overlaps another that lives at the same time", () => {
    const program = compile(device, training());
    const rows = rowsOf(showPlan(program));
    expect(rows).toHaveLength(program.anatomy.held.length);
    rows.forEach((own, i) => {
      for (const other of rows.slice(0, i))
        if (own.first <= other.last && other.first <= own.last) expect(overlap(own, other)).toBe(false);
    });
    program.dispose();
  });

  it("draws in every cell who is there at its call", () => {
    const program = compile(device, training());
    const text = showPlan(program);
    const rows = rowsOf(text);
    const names = new Map([...text.matchAll(/^ {2}([A-Za-z]) {2}(.*), [^,]*$/gm)].map(([, letter, name]) => [letter, name]));
    const chart = [...text.matchAll(/^ *(\d+) \|(.*)\|$/gm)];
    expect(chart).toHaveLength(24);
    let drawn = 0;
    chart.forEach(([, from, line], i) => {
      const to = Number(chart[i + 1]?.[1] ?? program.bytes.arena);
      expect(line).toHaveLength(program.steps.length);
      for (const [call, letter] of [...line].entries()) {
        if (letter === " ") continue;
        drawn++;
        const there = rows.filter((own) => own.first <= call && call <= own.last && overlap(own, { from: Number(from), to }));
        if (letter === "·") expect(there).not.toEqual([]);
        else expect(there.map(({ name }) => name)).toContain(names.get(letter));
      }
    });
    expect(drawn).toBeGreaterThan(50);
    program.dispose();
  });

  it("names the fullest call, and the bytes it holds", () => {
    const program = compile(device, training());
    const live = liveBytes(program.anatomy);
    const most = Math.max(...live);
    const [, call, , part] = /^peak: call (\d+), (.*): .* in use, ([\d.]+) % of the arena/m.exec(showPlan(program)) ?? [];
    expect(Number(call)).toBe(live.indexOf(most));
    expect(Number(part)).toBeCloseTo((100 * most) / program.bytes.arena, 1);
    expect(most).toBeLessThanOrEqual(program.bytes.arena);
    program.dispose();
  });

  it("of a program without an arena is a line", () => {
    const w = parameter([2]);
    const text = showPlan(compile<string, string>(device, { updates: [[w, mul(w, 2)]] }));
    expect(text).toMatch(/^arena: 0 bytes .* for 0 tensors of 1 calls; outside it: parameters 8 B, constants 0 B, inputs 0 B$/);
  });
});

describe("showGraph", () => {
  const x = input([2, 3], "f32");
  const shared = scope("a.b", () => square(x));
  const y = sum(mul(shared, shared), 1);

  it("has every node once, operands by number, attributes, shapes and scopes", () => {
    const ids = [x, shared, y.node.inputs[0], y].map(({ node }) => node.id);
    const lines = showGraph(y).split("\n");
    expect(lines.map((line) => Number(/^#(\d+) /.exec(line)?.[1])).slice(0, 2)).toEqual(ids.slice(0, 2));
    expect(lines[0]).toBe(`#${ids[0]} input -> [2, 3]`);
    expect(lines[1]).toMatch(new RegExp(`^#${ids[1]} square\\(x #${ids[0]}\\).* -> \\[2, 3\\] in a\\.b$`));
    expect(lines[2]).toMatch(`mul(a #${ids[1]}, b #${ids[1]})`);
    expect(lines.filter((line) => line.includes(" square("))).toHaveLength(1);
    expect(showGraph([y, shared])).toBe(showGraph(y));
  });

  it("names parameters, and shows the numbers of small constants", () => {
    expect(showGraph(mul(x, 2.5))).toMatch(/ mul\(a #\d+, b 2\.5\) -> \[2, 3\]$/);
    const text = showGraph(
      mul(
        new Seed(0, "here").parameter("weight", [2], () => new Float32Array(2)),
        constant([1, 2.5]),
      ),
    );
    expect(text).toMatch(/ parameter "here\.weight" -> \[2\]\n/);
    expect(text).toMatch(/ constant \{1, 2\.5\} -> \[2\]\n/);
  });

  it("for Graphviz has a box a node and an arrow an operand", () => {
    const text = showGraph(y, { format: "dot" });
    const nodes = showGraph(y).split("\n");
    expect(text).toMatch(/^digraph \{\n[\s\S]*\n\}$/);
    expect([...text.matchAll(/^ {2}n\d+ \[label="[^"]*"/gm)]).toHaveLength(nodes.length);
    expect([...text.matchAll(/^ {2}n\d+ -> n\d+/gm)]).toHaveLength(
      nodes.reduce((sum, line) => sum + [...(/\(([^)]*)\)/.exec(line)?.[1] ?? "").matchAll(/#/g)].length, 0),
    );
    expect(() => showGraph(y, { format: "svg" as never })).toThrow('format must be one of text, dot, got "svg"');
  });
});

it("the first number that is not finite is told with the line of its call", async () => {
  const a = input([2]);
  const program = compile(device, { inputs: { a }, outputs: { y: scope("here", () => sum(log(a))) } });
  const found = await program.findNonFinite({ a: [1, -1] });
  expect(found?.call).toBe(String(program).split("\n")[2].trim());
  expect(found?.call).toMatch(/^0: reduce \(log\+sum\) in here \| .* <- read 0 input a \[2\]/);
  program.dispose();
});
