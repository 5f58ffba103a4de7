import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../../src/base/errors.js";
import { identityOf } from "../../../src/node/run/processIdentity.js";
import { type Holder, RunLock } from "../../../src/node/run/runLock.js";
import { at, tree, useTemporaryFolders } from "../../temporaryFolder.js";

useTemporaryFolders();
afterEach(() => vi.restoreAllMocks());

/** The number of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

describe("the lock of a run's folder", () => {
  const path = () => at("run.lock");
  const holder = (change: Partial<Holder> = {}): void =>
    writeFileSync(
      path(),
      JSON.stringify({ pid: 1, host: hostname(), since: "2024-05-01T00:00:00Z", token: "other", ...change }),
    );

  it("says who holds it, refuses a second, and goes with its holder", async () => {
    const lock = await RunLock.take(path(), "here");
    const said = JSON.parse(readFileSync(path(), "utf8"));
    expect(said).toMatchObject({ pid: process.pid, host: hostname(), since: expect.stringMatching(/^\d{4}-.*Z$/) });
    await expect(RunLock.take(path(), "here")).rejects.toThrow(ConfigError);
    await expect(RunLock.take(path(), "here")).rejects.toThrow(
      new RegExp(
        `here is in use by process ${process.pid} on ${hostname()} since .*Wait for it or stop it, or choose another --out`,
      ),
    );
    await lock.release();
    expect(existsSync(path())).toBe(false);
  });

  it("is had by one of many who want it at once, also where an orphan lies", async () => {
    for (const orphan of [false, true]) {
      if (orphan) holder({ pid: deadPid() });
      const taken = await Promise.allSettled(Array.from({ length: 8 }, () => RunLock.take(path(), "here")));
      const won = taken.filter(({ status }) => status === "fulfilled");
      expect(won).toHaveLength(1);
      await (won[0] as PromiseFulfilledResult<RunLock>).value.release();
      expect(tree()).toEqual([]);
    }
  });

  it.each<[string, () => Promise<void> | void]>([
    ["its process has ended", () => holder({ pid: deadPid() })],
    // @source https://github.com/qTox/qTox/issues/5522
    ["another process has its number now", () => holder({ pid: process.pid, began: "boot x tick 1" })],
    [
      "another process has its number since then, on the same boot",
      async () => {
        const { began = "", space } = await identityOf(process.pid);
        holder({ pid: process.pid, began: began.replace(/\d+$/, "1"), ...(space && { space }) });
      },
    ],
    ["it was cut by a crash", () => writeFileSync(path(), "{")],
    ["it is empty", () => writeFileSync(path(), "")],
    [
      "another machine gave no sign of life for long",
      () => {
        holder({ host: "elsewhere" });
        const long = new Date(Date.now() - 3600_000);
        utimesSync(path(), long, long);
      },
    ],
  ])("is taken over when %s", async (_, make) => {
    if (process.platform !== "linux" && /number/.test(_)) return;
    await make();
    const lock = await RunLock.take(path(), "here");
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: process.pid });
    await lock.release();
    expect(tree()).toEqual([]);
  });

  it.each<[string, () => Promise<void> | void, RegExp]>([
    [
      "a process that runs",
      async () => holder({ pid: process.pid, ...(await identityOf(process.pid)) }),
      /in use by process \d+ on/,
    ],
    [
      "another machine",
      () => holder({ host: "elsewhere" }),
      /in use by process 1 on elsewhere since 2024.*If that machine is off, remove .*run\.lock/,
    ],
  ])("is not taken from %s", async (_, make, message) => {
    await make();
    await expect(RunLock.take(path(), "here")).rejects.toThrow(message);
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ token: "other" });
  });

  it.runIf(process.platform === "linux")("is not held by a child that has ended, but was not asked after", async () => {
    // The shell becomes a program that never waits for the child it had.
    const shell = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 30"]);
    const pid = await new Promise<number>((resolve) => shell.stdout.once("data", (text) => resolve(Number(text))));
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toMatch(/\) Z /), 5000);
    const { began, space } = await identityOf(pid);
    holder({ pid, ...(began && { began }), ...(space && { space }) });
    await (await RunLock.take(path(), "here")).release();
    shell.kill();
  });

  it("is made again when somebody removed it, and stops its holder when somebody took it", async () => {
    const lock = await RunLock.take(path(), "here");
    rmSync(path());
    await lock.check("here");
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: process.pid });
    holder();
    await expect(lock.check("here")).rejects.toThrow(/in use by process 1/);
    await lock.release();
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ token: "other" });
  });
});
