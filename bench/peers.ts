import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../src/base/errors.js";
import { captionTokens } from "../src/ptdit/workload.js";
import type { Browser } from "./browser.js";
import { Contender, type Missing } from "./contender.js";
import { benchPreset } from "./presets.js";
import type { Geometry, PeerCase, WorkloadCase } from "./protocol.js";

/** The products and ops that other engines are timed on. */
export const peerOps: readonly PeerCase[] = [
  ...[256, 512, 1024].map((n): PeerCase => ({ kind: "matmul", m: n, n, k: n })),
  { kind: "softmax", rows: 4096, columns: 256 },
  { kind: "layerNorm", rows: 4096, columns: 256 },
];

/** A step of the others costs those in JavaScript a minute, or more memory than they can address. */
const isLarge = (name: string): boolean => name !== "tiny" && name !== "small";

/** Whether other engines are timed on a workload: of the large ones, on training PT-DiT alone. */
export const isPeerCase = ({ name, model, mode }: WorkloadCase): boolean =>
  isLarge(name) ? model === "ptdit" && mode === "train" : mode !== "sample";

/** Another engine and how it is started; see bench/peers. */
export interface Peer {
  /** Its script in the folder of the peers, and its words. */
  readonly args: readonly [script: string, ...words: string[]];
  readonly only?: PeerCase["kind"];
  /** Whether it gets through the large workloads. */
  readonly large?: boolean;
  start(script: string, words: readonly string[]): Promise<Contender | Missing>;
}

const node = startWith([process.execPath]);
const python = startWith(["python3", "/usr/bin/python3"]);

/** Those on the processor, each in a process of its own. */
export const processPeers: readonly Peer[] = [
  { start: node, args: ["tfjs-wasm.mjs"] },
  { start: node, args: ["tfjs-wasm.mjs", "transposed"], only: "workload" },
  { start: node, args: ["jax-js.mjs"] },
  { start: node, args: ["jax-js.mjs", "workers"] },
  { start: node, args: ["onnxruntime-web.mjs", "1"] },
  { start: node, args: ["onnxruntime-web.mjs", "2"] },
  { start: python, args: ["pytorch.py", "1"], large: true },
  { start: python, args: ["pytorch.py", "2"], large: true },
];

/** Those on WebGPU, as workers of a page. */
export const browserPeers = (browser: Browser): readonly Peer[] => {
  const start: Peer["start"] = (script, words) => browser.start(script, words);
  return [
    { start, args: ["jax-js.mjs", "webgpu"], large: true },
    { start, args: ["onnxruntime-web.mjs", "webgpu"], large: true },
  ];
};

/** What they fetch, by the paths of its URLs.
 *  @throws ConfigError where the peers are not */
export function browserFiles(): Readonly<Record<string, string>> {
  if (!folder) throw new ConfigError("bench: bench/peers is not here. It comes with the repository: run the bench from there.");
  return {
    "/fixture": join(folder, "../../test/fixtures/image.safetensors"),
    "/onnxruntime.wasm": join(folder, "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm"),
  };
}

/** Largest relative error of a peer's outputs and gradients against the fixture: all of them compute in float32. */
const tolerance = 1e-3;
const checked = new Map<string, string | undefined>();

/** The folder of the peers: in the repository, from the built CLI or the sources; not in the published package. */
const folder = ["./peers/", "../../bench/peers/"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

/** The sizes of a preset that takes captions. */
export function geometryOf(name: string): Geometry {
  const { config, batch, side } = benchPreset(name);
  const { heads, headDim, depth, inChannels: channels, patch, window, captionChannels } = config;
  if (captionChannels === null)
    throw new ConfigError(`bench: the preset "${name}" takes no captions; other engines' models do.`);
  return { heads, headDim, depth, channels, side, patch, window, batch, captionTokens, captionChannels };
}

/** Starts the peers that are installed and whose numbers are right; `notes` says of the others why not. */
export async function startPeers(peers: readonly Peer[], what: PeerCase): Promise<{ peers: Contender[]; notes: string[] }> {
  const started: Contender[] = [];
  const notes: string[] = [];
  if (!folder) return { peers: [], notes: ["peers: bench/peers is not here; it comes with the repository"] };
  for (const { start, args, only = what.kind, large } of peers) {
    if (only !== what.kind || (!large && what.kind === "workload" && isLarge(what.name))) continue;
    const label = args.join(" ");
    const refused = checked.get(label);
    if (refused !== undefined) {
      notes.push(`${label}: left out: ${refused}`);
      continue;
    }
    const [script, ...words] = args;
    const contender = await start(join(folder, script), words);
    if ("missing" in contender) {
      checked.set(label, contender.missing);
      notes.push(`${label}: not here: ${contender.missing}`);
      continue;
    }
    if (!checked.has(label)) {
      const fault = await faultOf(contender);
      checked.set(label, fault);
      if (fault !== undefined) {
        notes.push(`${label}: left out: ${fault}`);
        contender.end();
        continue;
      }
    }
    started.push(contender);
  }
  return { peers: started, notes };
}

/** Starts a script as a process: the interpreters are tried in order. */
function startWith(interpreters: readonly string[]): Peer["start"] {
  return async (script, words) => {
    let last: Contender | Missing = { missing: "no interpreter" };
    for (const interpreter of interpreters) {
      last = await Contender.start(interpreter, [script, ...words]);
      if (!("missing" in last)) return last;
    }
    return last;
  };
}

/** What is wrong with a peer's numbers on the fixture `image`, if anything. */
async function faultOf(contender: Contender): Promise<string | undefined> {
  const answer = await contender.ask({ check: true });
  if (!("check" in answer)) return `no check: ${JSON.stringify(answer)}`;
  const { worst } = answer.check;
  return worst <= tolerance ? undefined : `its numbers differ from the fixture's by ${worst.toExponential(1)}`;
}
