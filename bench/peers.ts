import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../src/base/errors.js";
import { presetOf } from "../src/ptdit/presets.js";
import { captionTokens } from "../src/ptdit/workload.js";
import { Contender } from "./contender.js";
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

/** Other engines and how they are started; see bench/peers. The interpreters are tried in order. */
const peers: readonly {
  readonly interpreters: readonly string[];
  readonly args: readonly string[];
  readonly only?: PeerCase["kind"];
  /** Whether it gets through the large workloads. */
  readonly large?: boolean;
}[] = [
  { interpreters: [process.execPath], args: ["tfjs-wasm.mjs"] },
  { interpreters: [process.execPath], args: ["tfjs-wasm.mjs", "transposed"], only: "workload" },
  { interpreters: [process.execPath], args: ["jax-js.mjs"] },
  { interpreters: [process.execPath], args: ["jax-js.mjs", "workers"] },
  { interpreters: [process.execPath], args: ["onnxruntime-web.mjs", "1"] },
  { interpreters: [process.execPath], args: ["onnxruntime-web.mjs", "2"] },
  { interpreters: ["python3", "/usr/bin/python3"], args: ["pytorch.py", "1"], large: true },
  { interpreters: ["python3", "/usr/bin/python3"], args: ["pytorch.py", "2"], large: true },
];

/** Largest relative error of a peer's outputs and gradients against the fixture: all of them compute in float32. */
const tolerance = 1e-3;
const checked = new Map<string, string | undefined>();

/** The folder of the peers: in the repository, from the built CLI or the sources; not in the published package. */
const folder = ["./peers/", "../../bench/peers/"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

/** The sizes of a preset that takes captions. */
export function geometryOf(name: string): Geometry {
  const { config, batch, side } = presetOf(name);
  const { heads, headDim, depth, inChannels: channels, patch, window, captionChannels } = config;
  if (captionChannels === null)
    throw new ConfigError(`bench: the preset "${name}" takes no captions; other engines' models do.`);
  return { heads, headDim, depth, channels, side, patch, window, batch, captionTokens, captionChannels };
}

/** Starts the peers that are installed and whose numbers are right; `notes` says of the others why not. */
export async function startPeers(what: PeerCase): Promise<{ peers: Contender[]; notes: string[] }> {
  const started: Contender[] = [];
  const notes: string[] = [];
  if (!folder) return { peers: [], notes: ["peers: bench/peers is not here; it comes with the repository"] };
  for (const { interpreters, args, only = what.kind, large } of peers) {
    if (only !== what.kind || (!large && what.kind === "workload" && isLarge(what.name))) continue;
    const label = args.join(" ");
    const refused = checked.get(label);
    if (refused !== undefined) {
      notes.push(`${label}: left out: ${refused}`);
      continue;
    }
    const contender = await startOne(interpreters, [`${folder}${args[0]}`, ...args.slice(1)]);
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

async function startOne(interpreters: readonly string[], args: readonly string[]) {
  let last: Awaited<ReturnType<typeof Contender.start>> = { missing: "no interpreter" };
  for (const interpreter of interpreters) {
    last = await Contender.start(interpreter, args);
    if (!("missing" in last)) return last;
  }
  return last;
}

/** What is wrong with a peer's numbers on the fixture `image`, if anything. */
async function faultOf(contender: Contender): Promise<string | undefined> {
  const answer = await contender.ask({ check: true });
  if (!("check" in answer)) return `no check: ${JSON.stringify(answer)}`;
  const { worst } = answer.check;
  return worst <= tolerance ? undefined : `its numbers differ from the fixture's by ${worst.toExponential(1)}`;
}
