/** Which process a number stands for: numbers are given again, after a restart of the machine soon. */

import { execFile } from "node:child_process";
import { readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";
import { codeOf } from "../../base/errors.js";

export interface ProcessIdentity {
  /** When the process began, in the system's own words; what tells it from a later one of the same number. */
  readonly began?: string;
  /** Where its number counts: a container has numbers of its own. */
  readonly space?: string;
}

/** Identity of a process; empty where the system does not say. */
export async function identityOf(pid: number): Promise<ProcessIdentity> {
  if (process.platform === "linux") {
    const [boot, fields, space] = await Promise.all([
      readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined),
      statFields(pid),
      readlink("/proc/self/ns/pid").catch(() => undefined),
    ]);
    const ticks = fields?.[19];
    return { ...(boot && ticks && { began: `boot ${boot.trim()} tick ${ticks}` }), ...(space && { space }) };
  }
  if (process.platform === "win32") return {};
  const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() ? { began: stdout.trim() } : {};
}

/** Whether the process of this number that began then has certainly ended. */
export async function hasEnded(pid: number, began: string | undefined): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    if (codeOf(error) === "ESRCH") return true;
  }
  // Ended, but its parent has not asked yet.
  if (process.platform === "linux" && /[ZX]/.test((await statFields(pid))?.[0] ?? "")) return true;
  const now = (await identityOf(pid)).began;
  return began !== undefined && now !== undefined && began !== now;
}

/** Whether a process began before the machine was last started. */
export function earlierBoot(began: string | undefined, own: string | undefined): boolean {
  const [boot, ownBoot] = [began, own].map((text) => text?.match(/^boot (\S+)/)?.[1]);
  return boot !== undefined && ownBoot !== undefined && boot !== ownBoot;
}

/** Fields of /proc/PID/stat from the state on: the name before it, in parentheses, may hold anything. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return line?.slice(line.lastIndexOf(")") + 2).split(" ");
}
