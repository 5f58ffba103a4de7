/** Other engines beside ours in one race. */
import type { Contender } from "./contender.js";
import { type Peer, startPeers } from "./peers.js";
import type { PeerCase, Prepared, WorkloadCase } from "./protocol.js";
import { race, type Timing } from "./race.js";
import { on, peerLine } from "./report.js";
import type { PeerRow } from "./results.js";

/** What a race came to: rows of the others, and the times of ours with what a run costs, each that got through. */
export interface Raced {
  readonly peers: readonly PeerRow[];
  readonly ours: readonly { readonly timing: Timing; readonly cost: Prepared }[];
}

/** Times a case on ours and on those peers that are here and have shown that they compute what the fixture says. */
export async function racePeers(
  what: PeerCase,
  seconds: number,
  startOurs: () => Promise<readonly Contender[]>,
  roster: readonly Peer[],
  say: (line: string) => void,
): Promise<Raced> {
  const ours = await startOurs();
  const started = [...ours];
  const rows: PeerRow[] = [];
  const own: Raced["ours"][number][] = [];
  try {
    const { peers, notes } = await startPeers(roster, what);
    started.push(...peers);
    for (const note of notes) say(note);
    const contenders: Contender[] = [];
    const costs: Prepared[] = [];
    for (const contender of started) {
      const answer = await contender.prepare(what);
      if (!("prepared" in answer)) say(`${contender.peer}: ${answer.unsupported}`);
      else {
        contenders.push(contender);
        costs.push(answer);
      }
    }
    const timings = await race(contenders, seconds);
    for (const [i, contender] of contenders.entries()) {
      const { peer, version, threads, fault = "it did not get through this" } = contender;
      // Ours with as many threads, or with the most.
      const rival = ours[Math.min(threads, ours.length) - 1];
      const device = rival.adapter && ("webgpu" as const);
      const [timing, beside] = [timings[i], timings[contenders.indexOf(rival)]];
      if (!timing) say(`${peer}, ${device ?? on(threads)}: ${fault}`);
      if (!timing || !beside) continue;
      if (ours.includes(contender)) {
        own.push({ timing, cost: costs[i] });
        continue;
      }
      const { ms } = timing;
      const row: PeerRow = { peer, version, ...(device && { device }), ...placeOf(what), threads, ms, ratio: ms / beside.ms };
      rows.push(row);
      say(peerLine(row));
    }
  } finally {
    for (const contender of started) contender.end();
  }
  return { peers: rows, ours: own };
}

/** A case as rows name it. */
export function placeOf(what: PeerCase): Pick<PeerRow, "name" | "model" | "mode"> {
  if (what.kind !== "workload") return { name: nameOf(what), model: "-", mode: "op" };
  const { name, model, mode } = what;
  return { name, model, mode };
}

function nameOf(what: Exclude<PeerCase, WorkloadCase>): string {
  if (what.kind === "matmul") return `matmul ${what.m}x${what.n}x${what.k}`;
  return what.kind === "op" ? what.name : `${what.kind} ${what.rows}x${what.columns}`;
}
