/** Command lines to run: those of the README with values for its words, made quick. */
import { type Usage, variants } from "./readme.js";

export interface Line {
  /** As the README puts it. */
  readonly text: string;
  readonly args: readonly string[];
  /** The folder that it makes a run in, or takes one from. */
  readonly run: string;
  /** What output is enough, where the whole takes minutes. */
  readonly until?: RegExp;
}

/** Options that make a command quick, unless its line gives them, or one that excludes them. */
const quick: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  train: { "--steps": "2", "--batch": "2", "--size": "8", "--threads": "1" },
  sample: { "--steps": "1" },
  eval: { "--steps": "1" },
  sweep: { "--steps": "1", "--guidance": "1", "--captions": "1" },
  redundancy: { "--samples": "1", "--times": "500" },
  ablate: { "--data": "emoji:64", "--only": "proxies", "--steps": "1", "--seeds": "1", "--batch": "2", "--size": "8" },
  inspect: { "--batch": "1" },
  profile: { "--preset": "tiny", "--batch": "1", "--mode": "forward" },
  bench: { "--seconds": "0.01" },
};
/** What output is enough of a command that takes minutes. */
const enough: Readonly<Record<string, RegExp>> = { bench: /limits, 2 threads: \d/, speedrun: /multiply-adds a step/ };
const excludes: Readonly<Record<string, string>> = { "--minutes": "--steps" };

/** What stands in the README for what a person types. */
const values = (run: string, resumes: boolean): Readonly<Record<string, string>> => ({
  RECIPE: "clean",
  N: resumes ? "4" : "2",
  M: "0.01",
  DIR: run,
  FOLDER: "pictures",
  FILE: "model.safetensors",
  "FILE.safetensors...": "fixture.safetensors",
});

/** The lines in chains: those of a chain need what the line before left, and chains need nothing of each other. */
export function chainsOf(usages: readonly Usage[]): Line[][] {
  let runs = 0;
  const lines = usages.flatMap((usage) => {
    const all = variants(usage);
    return (usage.command === "bench" ? all.slice(-1) : all).map((words) => {
      const resumes = words.includes("--resume");
      if (usage.command === "train" && !resumes) runs++;
      return lineOf(usage, words, `run-${runs}`, resumes);
    });
  });
  const usesRun = ({ args, run }: Line) => args.includes(run);
  const chains = [...new Set(lines.map(({ run }) => run))].map((own) =>
    lines.filter((line) => line.run === own && usesRun(line)),
  );
  return [...chains.filter(({ length }) => length > 0), ...lines.filter((line) => !usesRun(line)).map((line) => [line])];
}

function lineOf({ text, command }: Usage, words: readonly string[], run: string, resumes: boolean): Line {
  const known = values(run, resumes);
  const args = words.map((word) => {
    if (/^[A-Z]/.test(word) && !(word in known))
      throw new Error(`README: "${text}" has ${word}: give it a value in ${import.meta.url}`);
    return (known[word] ?? word).replace(/^"|"$/g, "");
  });
  const without = new Set(command === "train" ? args.flatMap((word) => [word, excludes[word]]) : []);
  const extra = Object.entries(quick[command] ?? {}).filter(([option]) => !without.has(option));
  return {
    text: ["ptdit", command, ...words].join(" "),
    args: [command, ...args, ...extra.flat()],
    run,
    ...(command in enough && { until: enough[command] }),
  };
}
