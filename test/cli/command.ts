import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface StartOptions {
  readonly cwd?: string;
  /** Given the process once it runs. */
  readonly begun?: (child: ChildProcess) => void;
  /** Told of all output so far, each time there is more. */
  readonly watch?: (output: string, child: ChildProcess) => void;
  /** Ends what hangs. @units ms */
  readonly limit?: number;
}

const engineFlags = process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm"));

/** Runs the command line as a process of its own. */
export function ptdit(
  args: readonly string[],
  { cwd = root, begun, watch, limit = 90_000 }: StartOptions = {},
): Promise<Result> {
  return new Promise((resolve) => {
    const loader = join(root, "node_modules/tsx/dist/loader.mjs");
    const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.json") };
    const child = spawn(process.execPath, [...engineFlags, "--import", loader, join(root, "cli/main.ts"), ...args], {
      cwd,
      env,
    });
    begun?.(child);
    let [out, err] = ["", ""];
    child.stdout.on("data", (piece) => {
      out += piece;
      watch?.(out + err, child);
    });
    child.stderr.on("data", (piece) => {
      err += piece;
      watch?.(out + err, child);
    });
    const hung = setTimeout(() => child.kill("SIGKILL"), limit);
    child.on("close", (code, signal) => {
      clearTimeout(hung);
      resolve({ code, signal, out, err });
    });
  });
}
