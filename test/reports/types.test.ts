/** The published types in projects of other people: without the DOM's types, without Node's, with every file checked. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "ptdit-types-"));
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Everything that the package exports, and a use of each kind of thing. */
const source = `
import * as engine from "ptdit";
import * as data from "ptdit/data";
import * as io from "ptdit/io";
import * as model from "ptdit/model";
import * as nn from "ptdit/nn";
import * as node from "ptdit/node";
import * as pictures from "ptdit/pictures";

export const all = [data, io, model, node, pictures];
export async function train(): Promise<number> {
  const device: engine.Device = await engine.wasm({ threads: 1, kernels: new Uint8Array(8) });
  const network = new nn.MLP({ width: 1, hidden: 8, out: 1 }, new nn.Seed(0));
  const [x, y] = [engine.input([64, 1]), engine.input([64, 1])];
  const loss = engine.meanSquareLoss(network.forward(x), y);
  const { updates } = nn.adamW(nn.gradientsOf(loss, network.parameters()), { lr: 0.01 });
  const step = engine.compile(device, { inputs: { x, y }, outputs: { loss }, updates });
  const table = engine.constant([[1, 2], [3, 4]]);
  const own = engine.customGradient({
    name: "own",
    forward: (a: engine.Tensor, b: engine.Tensor) => engine.mul(a, b),
    gradient: ({ inputs: [a, b], dy }) => [engine.mul(dy, b), engine.mul(dy, a)],
  });
  own(table, table);
  const values: number = (await step.run({ x: new Float32Array(64), y: [[1], [2]] })).loss.item();
  // @ts-expect-error: there is no such input
  await step.run({ x: [1], z: [1] });
  // @ts-expect-error: it takes two arguments
  own(table);
  return values;
}
`;

beforeAll(() => {
  const published = join(project, "node_modules/ptdit");
  mkdirSync(published, { recursive: true });
  cpSync(join(root, "package.json"), join(published, "package.json"));
  const { config } = ts.readConfigFile(join(root, "tsconfig.build.json"), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const build = ts.createProgram(fileNames, {
    ...options,
    noCheck: true,
    noEmit: false,
    emitDeclarationOnly: true,
    outDir: join(published, "dist"),
  });
  expect(build.emit().emitSkipped).toBe(false);
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  writeFileSync(join(project, "index.ts"), source);
});

describe("a project compiles, no file left unchecked", () => {
  it.each<[string, string[]]>([
    ["with the language alone", ["lib.es2023.d.ts"]],
    ["in a browser", ["lib.es2023.d.ts", "lib.dom.d.ts"]],
    ["in a worker", ["lib.es2023.d.ts", "lib.webworker.d.ts"]],
  ])("%s", (_, lib) => {
    const { NodeNext, Bundler } = ts.ModuleResolutionKind;
    for (const moduleResolution of lib.length === 1 ? [NodeNext, Bundler] : [NodeNext]) {
      const module = moduleResolution === NodeNext ? ts.ModuleKind.NodeNext : ts.ModuleKind.ES2022;
      const program = ts.createProgram([join(project, "index.ts")], {
        target: ts.ScriptTarget.ES2022,
        lib,
        module,
        moduleResolution,
        types: [],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      });
      const messages = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
        return `${file?.fileName.slice(project.length)}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
      });
      expect(messages).toEqual([]);
    }
  });
});
