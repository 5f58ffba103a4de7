import { reachable } from "../autograd/grad.js";
import { hasName, nameOf } from "../autograd/names.js";
import { mapTensors } from "../autograd/operands.js";
import { checkTensor, checkTensorList, hostData, isConstant, type Node, type Tensor } from "../autograd/tensor.js";
import { checkOptions, oneOf, type Rules } from "../base/options.js";
import { showShape } from "../base/shape.js";

export interface GraphOptions {
  /** `text`, a line a node in the order of recording; or `dot`, for Graphviz. */
  readonly format?: "text" | "dot";
}
const rules: Rules<GraphOptions> = { format: oneOf("text", "dot") };

/**
 * The graph that a tensor, or several, were recorded by: every node once, with its number, op, operands by name, attributes, shapes and scope.
 * @throws ShapeError when something is no tensor
 * @throws ConfigError when an option is unknown or against its rule
 */
export function showGraph(roots: Tensor | readonly Tensor[], options: GraphOptions = {}): string {
  if (Array.isArray(roots)) checkTensorList("showGraph", roots);
  else checkTensor("showGraph", "the argument", roots);
  checkOptions("showGraph", options, rules);
  const nodes = reachable([roots].flat());
  return options.format === "dot" ? dot(nodes) : nodes.map(line).join("\n");
}

/** A tensor as an operand: its node's number, and which of several results it is. */
const reference = ({ node, index }: Tensor): string => (node.outputs.length > 1 ? `#${node.id}.${index}` : `#${node.id}`);

const showType = ({ dtype, shape }: Tensor): string => `${dtype === "f32" ? "" : `${dtype} `}${showShape(shape)}`;

function line(node: Node): string {
  const { id, op, operands: own, outputs, scope } = node;
  const shown = Object.entries(mapTensors(own, reference)).flatMap(([name, x]) => {
    return x === undefined ? [] : [`${name} ${typeof x === "object" ? `[${x.join(", ")}]` : x}`];
  });
  const operands = shown.length > 0 ? `(${shown.join(", ")})` : "";
  const where = scope ? ` in ${scope}` : "";
  return `#${id} ${op.name}${ownName(node)}${operands}${details(node)} -> ${outputs.map(showType).join(", ")}${where}`;
}

const ownName = ({ outputs }: Node): string => outputs.filter(hasName).map((x) => ` "${nameOf(x)}"`)[0] ?? "";

/** Attributes, and the numbers of small constants; those of a leaf are its shape and type, which are shown anyway. */
function details({ op, attributes, outputs }: Node): string {
  const [x] = outputs;
  if (op.lowering.kind === "leaf") return x && isConstant(x) ? ` ${showNumbers(hostData(x))}` : "";
  const shown = showAttribute(attributes);
  return shown === "" || shown === "{}" ? "" : ` ${shown}`;
}

/** Longest list that is shown whole. */
const longest = 6;

const showNumbers = (data: ArrayLike<number>): string =>
  `{${Array.from({ length: Math.min(data.length, longest) }, (_, i) => Number(data[i].toPrecision(6))).join(", ")}${data.length > longest ? ", …" : ""}}`;

/** An attribute in few words: lists cut short, functions left out. */
function showAttribute(value: unknown): string {
  if (value === undefined || value === null || typeof value === "function") return "";
  if (typeof value !== "object") return String(value);
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  if (Array.isArray(value)) {
    const shown = value.slice(0, longest).map(showAttribute);
    return `[${shown.join(", ")}${value.length > longest ? ", …" : ""}]`;
  }
  const parts = Object.entries(value).flatMap(([name, own]) => {
    const shown = showAttribute(own);
    return shown === "" ? [] : [`${name}: ${shown}`];
  });
  return `{${parts.join(", ")}}`;
}

/** Graphviz: a box a node, an arrow an operand, scopes as labels. */
function dot(nodes: readonly Node[]): string {
  const quoted = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  const boxes = nodes.map((node) => {
    const { id, op, outputs, scope } = node;
    const label = [`#${id} ${op.name}${ownName(node).replaceAll('"', "")}`, outputs.map(showType).join(", "), scope];
    const leaf = op.lowering.kind === "leaf" ? ", style=rounded" : "";
    return `  n${id} [label=${quoted(label.filter(Boolean).join("\n"))}${leaf}];`;
  });
  const arrows = nodes.flatMap((node) =>
    node.inputs.map((x) => {
      const label = x.node.outputs.length > 1 ? ` [label="${x.index}"]` : "";
      return `  n${x.node.id} -> n${node.id}${label};`;
    }),
  );
  return ["digraph {", "  node [shape=box, fontname=monospace];", ...boxes, ...arrows, "}"].join("\n");
}
