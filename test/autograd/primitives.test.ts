import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { primitives } from "../../src/autograd/ops/primitives.js";

const folder = new URL("../../src/autograd/ops/", import.meta.url);
/** Names that the sources give to ops: in definitions, and to what makes definitions. */
const given = /(?:\b(?:unary|binary|draw)\(|\bname:)\s*"(\w+)"/g;

it("all ops that are defined stand in the table, each under its name", () => {
  const defined = readdirSync(folder).flatMap((file) =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(given)].map(([, name]) => name),
  );
  expect(defined.length).toBeGreaterThan(60);
  expect(Object.keys(primitives).sort()).toEqual(defined.sort());
  for (const [name, { op }] of Object.entries(primitives)) expect(op.name).toBe(name);
});

it("no name stands for an operand and a result", () => {
  for (const { op } of Object.values(primitives)) {
    const names = [...Object.keys(op.operands), ...Object.keys(op.results)];
    expect(new Set(names).size, op.name).toBe(names.length);
  }
});
