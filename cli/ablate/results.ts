/** The results of an ablation's trainings, a line each, kept as they come. */
import { open, readFile } from "node:fs/promises";
import type { TrainingResult } from "../../src/ptdit/ablation/compare.js";

/** All that a result depends on beside its training's key. */
export type TaskName = Readonly<Record<"data" | "preset" | "recipe" | "batch" | "size", string | number>>;

interface Line {
  readonly task: TaskName;
  readonly result: TrainingResult;
}

/** A file of results. One that is not there has none. */
export class Results {
  private constructor(
    private readonly path: string,
    private readonly task: TaskName,
    /** Results of the task, by their trainings' keys. */
    readonly known: Map<string, TrainingResult>,
    private torn: boolean,
  ) {}

  /** Reads what is there of a task. A line that a kill tore is as if it were not there: its training is done again. */
  static async read(path: string, task: TaskName): Promise<Results> {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    const lines = text.split("\n").flatMap((line) => parsed(line) ?? []);
    const own = lines.filter((line) => JSON.stringify(line.task) === JSON.stringify(task));
    return new Results(path, task, new Map(own.map(({ result }) => [result.key, result])), text !== "" && !text.endsWith("\n"));
  }

  /** Keeps a result, on the disk when it returns. */
  async add(result: TrainingResult): Promise<void> {
    const file = await open(this.path, "a");
    try {
      await file.appendFile(`${this.torn ? "\n" : ""}${JSON.stringify({ task: this.task, result } satisfies Line)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    this.torn = false;
    this.known.set(result.key, result);
  }
}

function parsed(line: string): Line | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
