/** One trainer a folder: a file that says who works in it. */
import { randomUUID } from "node:crypto";
import { readFileSync, unlinkSync } from "node:fs";
import { open, readFile, stat, unlink, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { ConfigError, codeOf } from "../../base/errors.js";
import { fileError } from "../atomicFile.js";
import { earlierBoot, hasEnded, identityOf, type ProcessIdentity } from "./processIdentity.js";

/** Who holds a folder. */
export interface Holder extends ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Since when, as ISO 8601. */
  readonly since: string;
  /** What tells this hold from every other. */
  readonly token: string;
}

/** A holder that cannot be looked at, on another machine, counts as gone after this long without a sign of life. */
const silenceMs = 15 * 60_000;
/** How often a holder gives one. */
const signMs = 30_000;
/** How long a lock may stay empty, while its maker writes it. */
const unwrittenMs = 1000;
/** The removal of an orphan takes milliseconds: a claim to it that is older was left behind. */
const claimMs = 10_000;

/** A folder's lock, held by this process. */
export class RunLock {
  private lastSign = Date.now();
  private readonly atExit = () => this.releaseNow();

  private constructor(
    private readonly path: string,
    private readonly own: Holder,
    /** Whose lock it was that had outlived its process. */
    readonly orphanOf: Holder | undefined,
  ) {
    process.on("exit", this.atExit);
  }

  /** Takes the lock. One whose process has ended is taken over.
   *  @throws ConfigError naming the holder
   *  @throws FileError when the folder cannot be written to */
  static async take(path: string, where: string): Promise<RunLock> {
    const own: Holder = {
      pid: process.pid,
      host: hostname(),
      since: new Date().toISOString(),
      ...(await identityOf(process.pid)),
      token: randomUUID(),
    };
    let orphanOf: Holder | undefined;
    // Each turn either takes the lock, or finds its holder, or removes an orphan; more turns mean that others do the same.
    for (let turn = 0; turn < 200; turn++) {
      if (await create(path, own)) return new RunLock(path, own, orphanOf);
      const { text, holder } = await readHolder(path);
      if (text === undefined) continue;
      if (holder && !(await isGone(holder, path))) throw inUse(where, path, holder);
      if (await remove(path, text)) orphanOf = holder;
    }
    throw new ConfigError(`train: ${path} is taken and given up again and again. Stop the other trainers, and try again.`);
  }

  /** Gives a sign of life, now and then. */
  async keep(): Promise<void> {
    const now = Date.now();
    if (now - this.lastSign < signMs) return;
    this.lastSign = now;
    await utimes(this.path, new Date(now), new Date(now)).catch(() => {});
  }

  /** Makes sure of the lock before something is written; makes it again when it was removed.
   *  @throws ConfigError when somebody else has taken the folder meanwhile */
  async check(where: string): Promise<void> {
    for (;;) {
      const { text, holder } = await readHolder(this.path);
      if (holder?.token === this.own.token) return;
      if (holder) throw inUse(where, this.path, holder);
      if (text !== undefined) await remove(this.path, text);
      else if (await create(this.path, this.own)) return;
    }
  }

  async release(): Promise<void> {
    process.off("exit", this.atExit);
    const { holder } = await readHolder(this.path);
    if (holder?.token === this.own.token) await unlink(this.path).catch(() => {});
  }

  /** As `release`, when there is no time to wait. */
  private releaseNow(): void {
    try {
      if (parseHolder(readFileSync(this.path, "utf8"))?.token === this.own.token) unlinkSync(this.path);
    } catch {
      // It is gone, or will be taken over.
    }
  }
}

function inUse(where: string, path: string, { pid, host, since }: Holder): ConfigError {
  const elsewhere = host === hostname() ? "" : ` If that machine is off, remove ${path}.`;
  return new ConfigError(
    `train: ${where} is in use by process ${pid} on ${host} since ${since}. Wait for it or stop it, or choose another --out (in code: another folder).${elsewhere}`,
  );
}

/** Makes the lock, unless there is one. */
async function create(path: string, holder: Holder): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(`${JSON.stringify(holder)}\n`);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw fileError(path, "could not be written", error);
  }
}

/** What the lock says; no text: there is none, no holder: it says nothing. */
async function readHolder(path: string): Promise<{ readonly text?: string; readonly holder?: Holder }> {
  for (let waited = 0; ; waited += 50) {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw fileError(path, "could not be read", error);
    });
    if (text === undefined) return {};
    const holder = parseHolder(text);
    if (holder) return { text, holder };
    // Its maker may be about to write it.
    if (waited >= unwrittenMs) return { text };
    await wait(50);
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const json = JSON.parse(text) as Holder;
    return Number.isSafeInteger(json.pid) && typeof json.host === "string" && typeof json.token === "string" ? json : undefined;
  } catch {
    return undefined;
  }
}

/** The second lock, of who removes one. */
export const claimOf = (path: string): string => `${path}.takeover`;

/** Removes a lock that says `text`, and no other. Who removes holds a second lock meanwhile: of two that saw the same orphan, the
 *  later would remove what the earlier has just made. Returns whether this call removed it. */
async function remove(path: string, text: string): Promise<boolean> {
  const claim = claimOf(path);
  try {
    await (await open(claim, "wx")).close();
  } catch {
    // One left behind by a process that ended within these few lines.
    const left = await stat(claim).catch(() => undefined);
    if (left && Date.now() - left.mtimeMs > claimMs) await unlink(claim).catch(() => {});
    await wait(10);
    return false;
  }
  try {
    const now = await readFile(path, "utf8").catch(() => undefined);
    if (now !== text) return false;
    await unlink(path);
    return true;
  } catch {
    return false;
  } finally {
    await unlink(claim).catch(() => {});
  }
}

/** Whether a holder's process has certainly ended, or has given no sign of life where it cannot be looked at. */
async function isGone({ pid, host, space, began }: Holder, path: string): Promise<boolean> {
  const own = await identityOf(process.pid);
  if (host === hostname() && earlierBoot(began, own.began)) return true;
  if (host !== hostname() || (space !== undefined && own.space !== undefined && space !== own.space)) {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    return Date.now() - mtimeMs > silenceMs;
  }
  return hasEnded(pid, began);
}
