import { describe, expect, it } from "vitest";
import { add, concat } from "../../src/autograd/ops/index.js";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { compile } from "../../src/program/program.js";
import { flowLosses } from "../../src/ptdit/losses.js";
import { type Path, paths, predictions } from "../../src/ptdit/paths/index.js";

const shape = [4, 2, 1, 3, 3];
const parts = [0.03, 0.4, 0.75, 0.97];
const [x0, noise, u] = [input(shape), input(shape), input([4])];
const feed = { x0: normalNumbers(x0.size, 1, 0), noise: normalNumbers(x0.size, 1, 1) };

async function numbers(y: Tensor, at: readonly number[] = parts): Promise<number[]> {
  const program = compile(reference(), { inputs: { x0, noise, u }, outputs: { y } });
  return [...(await program.run({ ...feed, u: at })).y.data];
}
function expectClose(own: readonly number[], want: ArrayLike<number>, tolerance: number): void {
  expect(own.length).toBe(want.length);
  own.forEach((value, i) => {
    expect(Math.abs(value - (want[i] ?? Number.NaN))).toBeLessThan(tolerance);
  });
}

describe.each(predictions)("the path of %s", (name) => {
  const path: Path = paths[name];
  const noisy = path.addNoise(x0, noise, u);
  const target = path.target(x0, noise, u);

  it("goes from the data to the noise", async () => {
    expectClose(await numbers(noisy, [0, 0, 0, 0]), feed.x0, 1e-12);
    expectClose(await numbers(noisy, [1, 1, 1, 1]), feed.noise, 1e-12);
  });

  it("gives data and noise back from what a model should say", async () => {
    expectClose(await numbers(path.data(noisy, target, u)), feed.x0, 1e-9);
    expectClose(await numbers(path.noise(noisy, target, u)), feed.noise, 1e-9);
  });

  it("has the data ahead of a velocity", async () => {
    const velocity = path.velocity(noisy, target, u);
    expectClose(await numbers(path.ahead(noisy, velocity, u)), feed.x0, 1e-9);
  });

  it("moves with the velocity that a prediction stands for", async () => {
    const [h, from, to] = [1e-4, await numbers(noisy, parts), await numbers(path.velocity(noisy, target, u))];
    const ahead = await numbers(
      noisy,
      parts.map((part) => part - h),
    );
    const length = (part: number) => path.length(part, part - h);
    const slopes = ahead.map((value, i) => (value - (from[i] ?? 0)) / length(parts[Math.floor(i / 18)] ?? 0));
    expectClose(slopes, to, 2e-3);
  });

  it("costs the square of what the model is off by, whatever it says in channels beyond the data's", async () => {
    const losses = (by: number) => flowLosses(() => concat([add(target, by), noisy], 1), { x0, noise, u }, path);
    expectClose(await numbers(losses(0)), [0, 0, 0, 0], 1e-12);
    const weights = path.weight ? await numbers(path.weight(u)) : [1, 1, 1, 1];
    expectClose(
      await numbers(losses(0.5)),
      weights.map((weight) => 0.25 * weight),
      1e-9,
    );
  });

  it("asks the model at the noisy samples and 1000 u", async () => {
    const asked: Tensor[] = [];
    const model = (x: Tensor, t: Tensor) => {
      asked.push(x, t);
      return target;
    };
    flowLosses(model, { x0, noise, u }, path);
    const [x, t] = asked as [Tensor, Tensor];
    expect(await numbers(x)).toEqual(await numbers(noisy));
    expectClose(await numbers(t), [30, 400, 750, 970], 1e-9);
  });
});
