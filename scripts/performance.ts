/**
 * Writes `docs/performance.md` from what `ptdit bench --peers --json` printed, saved as files of `bench/results/ENGINE/`:
 *
 *     npx ptdit bench --peers --json --only small > bench/results/node-20/small.json
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { benchParts } from "../bench/index.js";
import type { Limits } from "../bench/protocol.js";
import { median } from "../bench/race.js";
import { overheadLines, timed } from "../bench/report.js";
import type { BenchResults, WorkloadRow } from "../bench/results.js";
import { table as markdownTable } from "./markdown.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}bench/results/`;

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;
const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const ms = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? "" : markdownTable(head, rows);

/** Cells for one thread and for two, of rows that differ in that alone. */
function byThreads<T extends { readonly threads: number }>(
  rows: readonly T[],
  key: (row: T) => string,
  cells: (row: T) => readonly string[],
): string[][] {
  return unique(rows.map(key)).map((name) => {
    const own = rows.filter((row) => key(row) === name).sort((a, b) => a.threads - b.threads);
    return [name, ...own.flatMap(cells)];
  });
}

function machine({ machine: m, peaks }: BenchResults): string {
  const limits = [peaks, peaks.twoThreads].map((p, i) => [
    String(i + 1),
    p.gflops.toFixed(0),
    p.bandwidthGBs.toFixed(0),
    p.expPerNs.toFixed(2),
  ]);
  return [
    `${m.cpu}, ${m.cores} cores, Node ${m.node} (V8 ${m.v8}), build of the kernels: ${m.vectors}, ${m.date}.`,
    "",
    table(["threads", "GFLOP/s in registers", "GB/s", "exponentials/ns"], limits),
  ].join("\n");
}

const products = ({ matmul }: BenchResults): string =>
  table(
    ["product (m x n x k)", "1 thread, GFLOP/s", "of peak", "2 threads, GFLOP/s", "of peak"],
    byThreads(
      matmul,
      ({ layout, batch, m, n, k }) => `${layout} ${batch > 1 ? `${batch} of ` : ""}${m}x${n}x${k}`,
      ({ gflops, ofPeak }) => [gflops.toFixed(1), percent(ofPeak)],
    ),
  );

const ops = (results: BenchResults): string =>
  table(
    ["op", "limit", "1 thread, ms", "of limit", "2 threads, ms", "of limit"],
    byThreads(
      results.ops,
      ({ name, shape, bound }) => `${name} ${shape} | ${bound}`,
      (row) => [row.ms.toFixed(3), percent(row.ofPeak)],
    ),
  );

const workloads = (results: BenchResults): string =>
  table(
    [
      "workload",
      "ms, 1 thread",
      "of peak",
      "2 threads",
      "of peak",
      "speed-up",
      "of two processes",
      "images/s",
      "GFLOP",
      "arena, MiB",
      "process, MiB",
      "compile, ms",
    ],
    pairs(results.workloads).map(({ one, two }) => [
      timed(two),
      `${ms(one.ms)} ± ${percent(one.spread)}`,
      percent(one.ofPeak),
      `${ms(two.ms)} ± ${percent(two.spread)}`,
      percent(two.ofPeak),
      (one.ms / two.ms).toFixed(2),
      two.twoProcesses.toFixed(2),
      two.imagesPerSecond.toFixed(1),
      two.gflop.toFixed(1),
      mebibytes(two.arenaBytes),
      mebibytes(two.rssBytes),
      two.compileMs.toFixed(0),
    ]),
  );

/** A workload's rows for one thread and for two. */
function pairs(rows: readonly WorkloadRow[]): { one: WorkloadRow; two: WorkloadRow }[] {
  return unique(rows.map(timed)).flatMap((name) => {
    const own = rows.filter((row) => timed(row) === name);
    const [one, two] = [1, 2].map((threads) => own.find((row) => row.threads === threads));
    return one && two ? [{ one, two }] : [];
  });
}

const gain = (results: BenchResults): string =>
  table(
    ["tokens", "mode", "threads", "arithmetic", "time", "time / arithmetic"],
    results.gain.map(({ tokens, mode, threads, counted, measured }) => [
      String(tokens),
      mode,
      String(threads),
      `${counted.toFixed(2)}x`,
      `${measured.toFixed(2)}x`,
      percent(measured / counted),
    ]),
  );

function peers(results: BenchResults): string {
  return table(
    ["case", "engine", "threads", "ms", "over ours with as many threads"],
    results.peers.map((row) => [
      timed(row),
      `${row.peer} ${row.version}`,
      String(row.threads),
      ms(row.ms),
      `${row.ratio.toFixed(2)}x`,
    ]),
  );
}

const busy = (results: BenchResults): string =>
  table(
    ["program", "1 thread, ms", "2 threads, ms", "1 thread, a core busy", "2 threads, a core busy", "2 / 1, a core busy"],
    unique((results.busy ?? []).map(({ name }) => name)).map((name) => {
      const [one, two] = (results.busy ?? []).filter((row) => row.name === name).sort((a, b) => a.threads - b.threads);
      const cells = [one?.idleMs, two?.idleMs, one?.busyMs, two?.busyMs].map((value = Number.NaN) => value.toPrecision(3));
      return [name, ...cells, ((two?.busyMs ?? Number.NaN) / (one?.busyMs ?? Number.NaN)).toFixed(2)];
    }),
  );

const sections: readonly [title: string, body: (results: BenchResults) => string, about: string][] = [
  ["Machine", machine, ""],
  [
    "Products",
    products,
    "The fastest tenth of the runs, beside the peak measured in the same minute, of two threads with both at work.",
  ],
  ["Ops", ops, "The fastest tenth of the runs. What fits into a cache can exceed the memory's bandwidth."],
  ["Workloads", workloads, "Medians and half the distance of the quartiles; images/s to the right are those of two threads."],
  [
    "Beside the arithmetic",
    ({ overhead }) =>
      overhead
        ? overheadLines(overhead)
            .map((line) => `- ${line}`)
            .join("\n")
        : "",
    "",
  ],
  ["Beside a busy neighbour", busy, "Medians, on idle cores and while another process keeps one core busy."],
  [
    "PT-DiT against full attention",
    gain,
    "How much more the full-attention model computes, and how much longer it takes, at as many tokens a step.",
  ],
  ["Other engines", peers, "Each checked against a fixture, then timed in turns with ours; medians."],
];

/** The parts of an engine's bench as one; its limits are the medians of those that each part measured. */
function merged(parts: readonly BenchResults[]): BenchResults {
  const [first] = parts;
  if (!first) throw new Error("a folder of results is empty");
  const middle = (of: (part: BenchResults) => Limits): Limits => ({
    gflops: median(parts.map((part) => of(part).gflops)),
    bandwidthGBs: median(parts.map((part) => of(part).bandwidthGBs)),
    expPerNs: median(parts.map((part) => of(part).expPerNs)),
  });
  const overhead = parts.find((part) => part.overhead)?.overhead;
  return {
    machine: first.machine,
    peaks: { ...middle((part) => part.peaks), twoThreads: middle((part) => part.peaks.twoThreads) },
    matmul: parts.flatMap((part) => part.matmul),
    ops: parts.flatMap((part) => part.ops),
    workloads: parts.flatMap((part) => part.workloads),
    gain: parts.flatMap((part) => part.gain),
    busy: parts.flatMap((part) => part.busy ?? []),
    peers: parts.flatMap((part) => part.peers),
    ...(overhead ? { overhead } : {}),
  };
}

const engines = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const reports = engines.map(({ name: engine }) => {
  const files = benchParts.map((part) => `${folder}${engine}/${part}.json`).filter((file) => existsSync(file));
  return { name: engine, results: merged(files.map((file) => JSON.parse(readFileSync(file, "utf8")) as BenchResults)) };
});
const body = reports.flatMap(({ name, results }) => [
  `## ${name}`,
  ...sections.flatMap(([title, content, about]) => {
    const text = content(results);
    return text === "" ? [] : [`### ${title}`, about, text].filter((part) => part !== "");
  }),
]);
const head = [
  "# Performance",
  "Written by `scripts/performance.ts` from `bench/results`; `ptdit bench --peers` measures anew. Machines are shared and noisy: ratios within one run count, not milliseconds across runs.",
];
writeFileSync(`${root}docs/performance.md`, `${[...head, ...body].join("\n\n")}\n`);
