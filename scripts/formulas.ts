/** What ops compute, in their own words, and their gradients, read off the graphs that their rules build: nothing is written twice. */
import { readdirSync, readFileSync } from "node:fs";
import { grad, reachable } from "../src/autograd/grad.js";
import { mapTensors } from "../src/autograd/operands.js";
import { type PrimitiveName, primitives } from "../src/autograd/ops/primitives.js";
import { sum } from "../src/autograd/ops/reduce.js";
import { hostData, input, isConstant, type Node, Tensor } from "../src/autograd/tensor.js";
import { cases } from "../test/autograd/cases.js";

const folder = new URL("../src/autograd/ops/", import.meta.url);

/** The first sentence on every function that the ops' files export, by name. */
export function descriptions(): Map<string, string> {
  const result = new Map<string, string>();
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), "utf8");
    for (const [, comment, name] of text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:const|function) (\w+)/g)) {
      const [words] = comment.replaceAll(/^\s*\* ?/gm, "").split(/^\s*@|\.\s/m);
      result.set(name, words.replaceAll(/\s+/g, " ").trim());
    }
  }
  return result;
}

/** Operators of the same strength as printed: 1 sums, 2 products, 3 everything else. */
type Printed = readonly [text: string, strength: 1 | 2 | 3];

const within = ([text, own]: Printed, least: 1 | 2 | 3): string => (own < least ? `(${text})` : text);

/** A graph as a formula over tensors that have names. */
function formula(x: Tensor | number, names: ReadonlyMap<Tensor, string>): Printed {
  if (typeof x === "number") return [Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(4))), x < 0 ? 1 : 3];
  const name = names.get(x);
  if (name !== undefined) return [name, 3];
  if (isConstant(x)) return x.size === 1 ? formula(hostData(x)[0], names) : ["constants", 3];
  const { op, operands, results } = x.node;
  const of = (operand: string) => formula(operands[operand] as Tensor | number, names);
  if (op.name === "add") return [`${within(of("a"), 1)} + ${within(of("b"), 1)}`, 1];
  if (op.name === "sub") return [`${within(of("a"), 1)} - ${within(of("b"), 2)}`, 1];
  if (/^mul(OrZero)?$/.test(op.name)) return [`${within(of("a"), 2)}·${within(of("b"), 2)}`, 2];
  if (/^div(OrZero)?$/.test(op.name)) return [`${within(of("a"), 2)}/${within(of("b"), 3)}`, 2];
  if (op.name === "neg") return [`-${within(of("x"), 2)}`, 1];
  if (op.name === "square") return [`${within(of("x"), 3)}²`, 3];
  // The same numbers under another shape.
  if (op.name === "reshape") return of("x");
  const several = Object.keys(results).length > 1;
  const which = several ? `.${Object.keys(results).find((result) => results[result] === x)}` : "";
  return [`${applied(x.node, (own) => formula(own, names)[0])}${which}`, 3];
}

/** An op on its operands; those of a product turned as they are read. */
function applied({ op, operands, attributes }: Node, show: (x: Tensor | number) => string): string {
  const { transposeA, transposeB } = Object(attributes);
  const shown = Object.entries(operands).flatMap(([operand, own]) => {
    if (own === undefined) return [];
    const texts = typeof own === "object" && !(own instanceof Tensor) ? own.map(show) : [show(own)];
    const turned = (operand === "a" && transposeA) || (operand === "b" && transposeB);
    return turned ? texts.map((text) => `${/^\w+$/.test(text) ? text : `(${text})`}ᵀ`) : texts;
  });
  return `${op.name}(${shown.join(", ")})`;
}

/** Nodes of every primitive that the test cases and their derivatives record. */
function examples(): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  for (const { f, shapes, flat, once } of cases) {
    for (const own of shapes.slice(0, 3)) {
      const inputs = own.map((shape) => input(shape));
      const y = f(...inputs);
      const first = flat ? [] : grad(sum(y), inputs);
      const second = flat || once ? [] : first.flatMap((dx) => grad(sum(dx), inputs));
      for (const node of reachable([y, ...first, ...second]))
        found.set(node.op.name, [...(found.get(node.op.name) ?? []), node]);
    }
  }
  return found;
}

/** Names of operands or results, each after `prefix`; of a list the first of two are shown. */
function nameAll(named: Node["operands"] | Node["results"], prefix: string, names: Map<Tensor, string>): void {
  for (const [name, own] of Object.entries(named)) {
    if (own instanceof Tensor) names.set(own, prefix + name);
    else if (typeof own === "object") own.forEach((x, i) => names.set(x, `${prefix}${name}[${i}]`));
  }
}

/** Longest formula that is worth reading. */
const longest = 200;

/** The gradient of a node: a formula an operand. */
function gradientsOf(node: Node): string[] {
  const names = new Map<Tensor, string>();
  nameAll(node.operands, "", names);
  nameAll(node.results, "", names);
  const d = mapTensors(node.results, (x) => input(x.shape));
  nameAll(d, "d", names);
  const gradients = node.op.gradient?.({ ...node.operands, ...node.results }, d, node.attributes) ?? {};
  return Object.entries(gradients).flatMap(([operand, dx]) => {
    const [first] = [dx].flat();
    if (!(first instanceof Tensor)) return [];
    const [text] = formula(first, names);
    if (text.length <= longest) return [`${operand}: ${text}`];
    const used = [...new Set(text.match(/\w+(?=\()/g))].join(", ");
    return [`${operand}: ${text.slice(0, text.indexOf("(")).replace(/\w+$/, "")}… (sums and products of ${used})`];
  });
}

/** Operands that a node has: a list is one. */
const operandsOf = ({ operands }: Node): number => Object.values(operands).filter((own) => own !== undefined).length;

/** A row of the table of primitives. */
export interface PrimitiveRow {
  readonly name: PrimitiveName;
  readonly formula: string;
  readonly gradient: string;
}

/** What each primitive is on its operands, and the gradient by operand.
 *  @throws Error when no test case and no derivative of one records a primitive that has a gradient */
export function primitiveRows(): readonly PrimitiveRow[] {
  const found = examples();
  return (Object.keys(primitives) as PrimitiveName[]).map((name) => {
    const { op } = primitives[name] as { readonly op: Node["op"] };
    const results = Object.keys(op.results).join(", ");
    const plain = `${results} = ${name}(${Object.keys(op.operands).join(", ")})`;
    const all = (found.get(name) ?? []).filter(({ inputs }) => new Set(inputs).size === inputs.length);
    // In rows of one number, sums over them are not seen.
    const wide = all.filter(({ inputs }) => inputs[0]?.shape.at(-1) !== 1);
    const nodes = op.lowering.kind === "calls" && wide.length > 0 ? wide : all;
    if (!op.gradient) return { name, formula: plain, gradient: "none: refused" };
    // The plainest example: as many gradients and operands as there are, and no broadcasting to undo.
    const [best] = nodes
      .map((node) => ({ node, gradients: gradientsOf(node) }))
      .sort(
        (a, b) =>
          b.gradients.length - a.gradients.length ||
          operandsOf(b.node) - operandsOf(a.node) ||
          a.gradients.join().length - b.gradients.join().length,
      );
    if (!best) throw new Error(`ops-table: no example of ${name} in test/autograd/cases.ts or its derivatives.`);
    const names = new Map<Tensor, string>();
    nameAll(best.node.operands, "", names);
    const single = best.node.outputs.length === 1 ? formula(best.node.outputs[0], names)[0] : "";
    const own = single || applied(best.node, (x) => (typeof x === "number" ? String(x) : (names.get(x) ?? "")));
    return { name, formula: `${results} = ${own}`, gradient: best.gradients.join("; ") || "zero by definition" };
  });
}
