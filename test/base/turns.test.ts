import { expect, it } from "vitest";
import { Turns } from "../../src/base/turns.js";
import { held } from "../backend/fakeGpu.js";

const turn = () => new Promise((resolve) => setTimeout(resolve));

it("calls that share are inside together, up to so many; others are alone, and all come in their order", async () => {
  const turns = new Turns("test", "Make another.", 2);
  const events: string[] = [];
  const calls = ["a", "b", "c", "ALONE", "d", "e"].map((name) => {
    const end = held<void>();
    const job = async () => {
      events.push(name);
      await end.promise;
    };
    const done = name === "ALONE" ? turns.take(job) : turns.share(job);
    return { end: () => end.keep(), done };
  });
  const [a, b, c, alone, d, e] = calls;
  const after = async (call: { end(): void }) => {
    call.end();
    await turn();
    return events.splice(0).join(" ");
  };
  await turn();
  expect(events.splice(0)).toEqual(["a", "b"]);
  expect([turns.waits(), turns.waits(true)]).toEqual([true, true]);
  expect(await after(b)).toBe("c");
  expect(await after(a)).toBe(""); // d might share with c, and does not overtake
  expect(await after(c)).toBe("ALONE");
  expect(await after(alone)).toBe("d e");
  d.end();
  await turn();
  expect([turns.waits(), turns.waits(true)]).toEqual([true, false]);
  expect(() => turns.checkIdle("restore")).toThrow("restore: another call of this test is under way");
  e.end();
  await Promise.all(calls.map(({ done }) => done));
  turns.checkIdle("restore");
});

it("memory goes when the last of those that share is done", async () => {
  const turns = new Turns("test", "Make another.", 2);
  const [first, second] = [held<void>(), held<void>()];
  const inside = [turns.share(() => first.promise), turns.share(() => second.promise)];
  const waiting = turns.share(async () => undefined);
  let freed = 0;
  turns.dispose(() => freed++);
  await expect(waiting).rejects.toThrow("test: it was disposed of while this call waited for its turn");
  first.keep();
  await inside[0];
  expect(freed).toBe(0);
  second.keep();
  await inside[1];
  expect(freed).toBe(1);
});
