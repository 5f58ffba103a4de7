import { describe, expect, it } from "vitest";
import { constant } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { normalQuantile, stratifiedNormal } from "../../src/nn/index.js";
import { compile, read } from "../../src/program/program.js";

const quantiles = async (p: readonly number[]) => [...(await read(reference(), normalQuantile(constant([...p])))).data];

/** Numbers and the part of a normal distribution below them, from tables. */
const known: readonly (readonly [p: number, z: number])[] = [
  [1e-6, -4.753424308822899],
  [1e-3, -3.090232306167813],
  [0.025, -1.959963984540054],
  [0.25, -0.6744897501960817],
  [0.5, 0],
  [0.75, 0.6744897501960817],
  [0.9, 1.2815515655446004],
  [0.999, 3.090232306167813],
  [1 - 1e-6, 4.753424308822899],
];

describe("normalQuantile", () => {
  it("is what tables say", async () => {
    const found = await quantiles(known.map(([p]) => p));
    found.forEach((z, i) => expect(Math.abs(z - known[i][1]), `p ${known[i][0]}`).toBeLessThan(3e-6));
  });
  it("stays finite to the ends", async () => {
    const [least, most] = await quantiles([0, 1]);
    expect(least).toBeLessThan(-5);
    expect(most).toBeGreaterThan(5);
    expect([least, most].every(Number.isFinite)).toBe(true);
  });
});

describe("stratifiedNormal", () => {
  it("draws one from every part, anew in every run", async () => {
    const n = 16;
    const borders = await quantiles(Array.from({ length: n + 1 }, (_, i) => i / n));
    const program = compile(reference(), { outputs: { x: stratifiedNormal(n, { seed: 3, stream: 1 }) } });
    const [first, second] = [[...(await program.run({})).x.data], [...(await program.run({})).x.data]];
    for (const drawn of [first, second])
      drawn.forEach((x, i) => expect(borders[i] - 1e-6 <= x && x <= borders[i + 1] + 1e-6, `${i}`).toBe(true));
    expect(second).not.toEqual(first);
    expect(() => stratifiedNormal(0, { seed: 0, stream: 0 })).toThrow("stratifiedNormal: n must be");
  });
});
