/** Steps in flight, with a program that answers when the test says so. */
import { expect, it, vi } from "vitest";
import { DeviceError } from "../../src/base/errors.js";
import type { Program } from "../../src/program/program.js";
import { Value } from "../../src/program/value.js";
import { NonFiniteError } from "../../src/ptdit/stepReport.js";
import { StepsInFlight, type TrainingInput, type TrainingOutput } from "../../src/ptdit/stepsInFlight.js";
import { type Held, held } from "../backend/fakeGpu.js";

type Outputs = Record<TrainingOutput, Value>;
const turn = () => new Promise((resolve) => setTimeout(resolve));

function flight(batch: (step: number) => Promise<void> = async () => undefined) {
  const events: string[] = [];
  const answers: Held<Outputs>[] = [];
  const program = {
    runs: 0,
    run: ({ lr }: { readonly lr: number }) => {
      events.push(`run ${program.runs} at ${lr}`);
      answers.push(held());
      return answers[answers.length - 1].promise;
    },
    findNonFinite: vi.fn(async ({ lr }: { readonly lr: number }) => {
      events.push(`find ${program.runs} at ${lr}`);
      await turn();
      return { op: "mul", scope: "", value: Number.NaN, call: "7: mul" };
    }),
  };
  const inputs = async (step: number) => {
    await batch(step);
    return { samples: new Float32Array(1), ids: new Int32Array(1), keep: new Float32Array(1), lr: step / 10 };
  };
  const steps = new StepsInFlight(
    program as unknown as Program<TrainingInput, TrainingOutput>,
    inputs,
    () => void events.push("heal"),
  );
  const next = () => {
    const own = steps.next();
    own.catch(() => undefined);
    return own;
  };
  const answer = (index: number, loss: number) => {
    const one = new Value([], Float32Array.of(loss));
    answers[index].keep({ loss: one, norm: one, times: one, losses: one });
  };
  return { steps, next, answer, answers, events };
}

it("steps are submitted in their order, whatever their data takes, and heard of in it", async () => {
  const slow = held<void>();
  const { steps, next, answer, events } = flight(async (step) => (step === 1 ? slow.promise : undefined));
  const heard: number[] = [];
  const all = [next(), next(), next()].map(async (own) => {
    const report = await own;
    heard.push(report.step);
    return report;
  });
  await turn();
  expect(events).toEqual(["run 0 at 0"]);
  slow.keep();
  await turn();
  expect(events).toEqual(["run 0 at 0", "run 1 at 0.1", "run 2 at 0.2"]);
  answer(2, 3);
  answer(1, 2);
  await turn();
  expect([heard, steps.step]).toEqual([[], 0]);
  answer(0, 1);
  const reports = await Promise.all(all);
  expect(heard).toEqual([1, 2, 3]);
  expect(reports.map(({ step, loss, lr }) => [step, loss, lr])).toEqual([
    [1, 1, 0],
    [2, 2, 0.1],
    [3, 3, 0.2],
  ]);
  expect(events).not.toContain("heal");
});

it("a step that is not finite is repeated for its maker, and those after it are void until all are heard of", async () => {
  const slow = held<void>();
  let calls = 0;
  // Step 4 is still being prepared when it turns out that step 2 went wrong.
  const { steps, next, answer, events } = flight(async (step) => (step === 3 && calls++ === 0 ? slow.promise : undefined));
  const all = [next(), next(), next(), next()];
  await turn();
  answer(0, 1);
  answer(1, Number.NaN);
  answer(2, Number.NaN);
  await turn();
  slow.keep();
  const late = next(); // joins those that are void
  const ends = await Promise.allSettled([...all, late]);
  expect(ends[0]).toMatchObject({ status: "fulfilled", value: { step: 1 } });
  const [failed, ...others] = ends.slice(1).map((end) => (end.status === "rejected" ? end.reason : end));
  expect(failed).toBeInstanceOf(NonFiniteError);
  expect(String(failed)).toContain("step 2 made a number that is not finite, first NaN by call 7: mul");
  for (const other of others) expect(other).toBe(failed);
  expect(events).toEqual(["run 0 at 0", "run 1 at 0.1", "run 2 at 0.2", "find 1 at 0.1"]);
  expect(steps.step).toBe(1);

  events.length = 0;
  const again = next();
  await turn();
  expect(events).toEqual(["heal", "run 1 at 0.1"]);
  answer(3, 5);
  expect(await again).toMatchObject({ step: 2, loss: 5 });
});

it("data that cannot be had, and a device that is lost, end a step and those after it with one error", async () => {
  let broken = true;
  const { next, answer, answers, events, steps } = flight(async (step) => {
    if (broken && step === 1) throw new Error("the disk is gone");
  });
  const all = [next(), next(), next()];
  await turn();
  answer(0, 1);
  expect(
    await Promise.all(
      all.map((own) =>
        own.then(
          ({ step }) => step,
          ({ message }: Error) => message,
        ),
      ),
    ),
  ).toEqual([1, "the disk is gone", "the disk is gone"]);
  broken = false;
  const more = [next(), next()];
  await turn();
  const lost = new DeviceError("webgpu: the GPU was lost");
  answers[2].breakWith(new DeviceError("webgpu: the device is closed"));
  await turn();
  answers[1].breakWith(lost);
  for (const own of more) await expect(own).rejects.toBe(lost);
  expect(events).toEqual(["run 0 at 0", "heal", "run 1 at 0.1", "run 2 at 0.2"]);
  expect(steps.step).toBe(1);
});
