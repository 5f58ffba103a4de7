import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../../src/base/errors.js";
import { writeFileAtomic } from "../../src/node/atomicFile.js";
import { checkReplaceable } from "../../src/node/replaceable.js";
import { type Counts, exactOf, matrixOf } from "../../src/ptdit/complexity/counts.js";
import { countCase, type PaperCase, paperCases } from "../../src/ptdit/complexity/paper.js";
import { type RivalName, rivalNames } from "../../src/ptdit/complexity/rivals.js";
import { timeForward } from "../audit/measure.js";
import { costPlot } from "../audit/plot.js";
import { type Counted, countSubject, type SubjectOptions, type Video } from "../audit/subject.js";
import { count, run, threads, windowSizes } from "../options.js";
import { type Column, tableLines } from "../show/table.js";

/** What people call the rivals when they mean one of several sizes. */
const aliases: Readonly<Record<string, RivalName>> = {
  dit: "dit-b",
  dam: "dam-b",
  pixart: "pixart-alpha",
  lumina: "lumina-next",
  cogvideox: "cogvideox-2b",
  easyanimate: "easyanimate-v4",
  easyanimatev4: "easyanimate-v4",
};

function rivalOf(text: string): RivalName {
  const name = text.toLowerCase();
  const found = aliases[name] ?? rivalNames.find((own) => own === name);
  if (!found) throw new InvalidArgumentError(`rivals are ${rivalNames.join(", ")}.`);
  return found;
}

function videoOf(text: string): Video {
  const [, frames, pixels] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (!Number(frames) || !Number(pixels))
    throw new InvalidArgumentError("a video is its latent frames x the side of the picture in pixels, e.g. 48x1024.");
  return { frames: Number(frames), pixels: Number(pixels) };
}

const declared = new Command("audit")
  .description("a model's multiply-adds by kind and part, and its weights, counted without running it")
  .option("--preset <name>", "model (see ptdit presets)")
  .addOption(new Option("--config <file>", "a configuration as JSON, in our words or the released code's").conflicts("preset"))
  .addOption(run().conflicts(["preset", "config"]))
  .addOption(
    new Option("--rival <name>", `a model that the paper compares with: ${rivalNames.join(", ")}`)
      .argParser(rivalOf)
      .conflicts(["preset", "config", "run"]),
  )
  .addOption(
    new Option("--all", "every model and size that the paper counts").conflicts([
      ...["preset", "config", "run", "rival", "image", "video", "window", "textTokens", "plot", "measure"],
    ]),
  )
  .option("--image <pixels>", "side of a picture: behind the 8x autoencoder, unless the model reads colours", count("image"))
  .addOption(
    new Option("--video <frames x pixels>", "latent frames x side, e.g. 48x1024").argParser(videoOf).conflicts("image"),
  )
  .option("--window <f,h,w>", "window in tokens (default: as the paper has it at that size)", windowSizes)
  .option("--text-tokens <count>", "tokens of the caption (default: the model's usual ones)", count("text-tokens"))
  .option("--json", "print JSON: exact whole numbers")
  .addOption(new Option("--csv", "print comma-separated values").conflicts("json"))
  .option("--plot <file>", "draw the cost against tokens beside full attention and rivals, as SVG")
  .option("--measure", "also run one forward pass here, and print its time beside its arithmetic")
  .addOption(threads());

/** What `ptdit audit` was given. */
export type AuditOptions = ReturnType<typeof declared.opts>;

/** `ptdit audit`: counts, in both conventions, from the model's own graph or a rival's shapes. */
export async function audit({ all, json, csv, plot, measure, threads, ...subject }: AuditOptions): Promise<void> {
  if (all) {
    auditAll(json ? "json" : csv ? "csv" : "table");
    return;
  }
  if (plot !== undefined) await checkReplaceable(plot, "plot");
  const counted = await countSubject(subject satisfies SubjectOptions);
  if (plot !== undefined) await drawPlot(plot, counted);
  const measured = measure ? await timeForward(counted, threads) : undefined;
  if (json) console.log(exactJson({ ...plain(counted), ...(measured && { measured }) }));
  else if (csv) for (const line of csvLines(counted)) console.log(line);
  else {
    for (const line of shownLines(counted)) console.log(line);
    if (measured) {
      const { milliseconds, threads, gigaMultiplyAdds } = measured;
      console.log(
        `measured: ${milliseconds.toFixed(1)} ms on ${threads} thread${threads > 1 ? "s" : ""}, ${gigaMultiplyAdds.toFixed(1)} G multiply-adds a second`,
      );
    }
  }
}

/** The numbers that JSON has. */
function plain({ name, latents, grid, window, textTokens, counts }: Counted) {
  const { linear, convolution, qk, av, other, norms, parameters, parts, blocks } = counts;
  const { matrix, module } = exactOf(counts);
  return {
    ...{ name, latents, grid, tokens: grid.reduce((a, b) => a * b, 1), window: window ?? null, textTokens },
    ...{ linear, convolution, qk, av, other, norms, matrix, module, flops: 2n * matrix, parameters },
    ...{ parts, ...(blocks && { blocks }) },
  };
}

/** JSON whose sums are numbers to their last digit, beyond 2^53 too: readers of whole numbers get them all, JavaScript the nearest. */
const exactJson = (value: unknown): string =>
  JSON.stringify(value, (_, own: unknown) => (typeof own === "bigint" ? String(own) : own)).replace(
    /"(matrix|module|flops)":"(\d+)"/g,
    '"$1":$2',
  );

const grouped = (value: number | bigint): string => value.toLocaleString("en-US");
const giga = (value: number): string => (value / 1e9).toFixed(1);
const times = (sizes: readonly number[]): string => sizes.join(" x ");

interface Row {
  readonly part: string;
  readonly counts: Counts;
}

const kinds = ["linear", "convolution", "qk", "av", "other", "norms"] as const;

/** Lines for people: what was counted, its parts, and both conventions. */
function shownLines({ name, grid, window, textTokens, counts, source, uncertain, note }: Counted): string[] {
  const { parameters, parts, blocks = [] } = counts;
  const { matrix, module } = exactOf(counts);
  const used = kinds.filter((kind) => counts[kind] > 0);
  const rows: Row[] = [
    ...Object.entries(parts).map(([part, own]) => ({ part, counts: own })),
    ...(blocks.length > 0 ? [{ part: `a block of ${blocks.length}`, counts: blocks[0] }] : []),
    { part: "all", counts },
  ];
  const columns: Column<Row>[] = [
    { title: "multiply-adds", cell: ({ part }) => part },
    ...used.map((kind): Column<Row> => ({ title: kind, cell: (row) => grouped(row.counts[kind]), right: true })),
    { title: "matrix %", cell: (row) => ((100 * matrixOf(row.counts)) / counts.matrix).toFixed(1), right: true },
  ];
  const read = textTokens > 0 ? `, ${textTokens} tokens of text` : "";
  return [
    `${name}: ${times(grid)} tokens${window ? `, windows of ${times(window)}` : ""}${read}; one forward pass of one sample`,
    ...tableLines(columns, rows),
    `matrix: ${grouped(matrix)} multiply-adds = ${giga(2 * counts.matrix)} GFLOPs: every product of matrices`,
    `module: ${grouped(module)}: without attention's products, with layer norms, as thop counts`,
    `parameters: ${grouped(parameters)}`,
    ...(source ? [`shapes from: ${source}`] : []),
    ...(uncertain ? [`not certain: ${uncertain}`] : []),
    ...(note ? [`counted: ${note}`] : []),
  ];
}

const csvHead = "part,linear,convolution,qk,av,other,norms,matrix,module";
const csvRow = (part: string, own: Counts): string => {
  const { matrix, module } = exactOf(own);
  return [part, ...kinds.map((kind) => own[kind]), matrix, module].join(",");
};

const csvLines = ({ counts }: Counted): string[] => [
  csvHead,
  ...Object.entries(counts.parts).map(([part, own]) => csvRow(part, own)),
  ...(counts.blocks ?? []).map((own, i) => csvRow(`block ${i}`, own)),
  csvRow("all", counts),
];

const caseColumns: Column<PaperCase & { readonly counts: ReturnType<typeof countCase> }>[] = [
  { title: "model", cell: ({ model }) => model },
  { title: "px", cell: ({ pixels }) => String(pixels), right: true },
  { title: "frames", cell: ({ frames }) => String(frames), right: true },
  { title: "module G", cell: ({ counts }) => giga(counts.module), right: true },
  { title: "matrix G", cell: ({ counts }) => giga(counts.matrix), right: true },
  { title: "paper prints G", cell: ({ printed }) => printed?.toFixed(1) ?? "", right: true },
  { title: "parameters", cell: ({ counts }) => grouped(counts.parameters), right: true },
];

/** Every model and size of the paper. */
function auditAll(form: "table" | "json" | "csv"): void {
  const rows = paperCases.map((own) => ({ ...own, counts: countCase(own) }));
  if (form === "table") for (const line of tableLines(caseColumns, rows)) console.log(line);
  const flat = rows.map(({ counts: { parts, blocks, ...counts }, printed, ...own }) => ({
    ...own,
    printed: printed ?? null,
    ...counts,
    ...exactOf(counts),
  }));
  if (form === "json") console.log(exactJson(flat));
  if (form === "csv") {
    console.log(Object.keys(flat[0]).join(","));
    for (const row of flat) console.log(Object.values(row).join(","));
  }
}

async function drawPlot(path: string, { name, model, latents, textTokens }: Counted): Promise<void> {
  if (!model) throw new ConfigError(`audit: --plot draws a model of ours beside rivals, ${name} is a rival. Choose --preset.`);
  const { svg, meet, windows } = costPlot(name, model.config, textTokens || 1, latents[0]);
  await writeFileAtomic(path, new TextEncoder().encode(svg));
  const from = meet === undefined ? "proxies never cost less" : `proxies cost less from ${Math.round(meet)} tokens on`;
  process.stderr.write(`plot: ${path}; ${from}, with ${windows} windows\n`);
}

export const auditCommand = declared.action(audit);
