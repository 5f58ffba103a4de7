import fc from "fast-check";
import { expect, it } from "vitest";
import { planArena } from "../../src/program/plan.js";

const alignment = 16;
const life = fc
  .record({ elements: fc.integer({ min: 1, max: 1000 }), first: fc.nat(30), length: fc.nat(10) })
  .map(({ elements, first, length }) => ({ elements, first, last: first + length }));

it("buffers that live at the same time never overlap, and the arena holds them all", () => {
  fc.assert(
    fc.property(fc.array(life, { maxLength: 60 }), (lives) => {
      const { offsets, elements } = planArena(lives, alignment);
      lives.forEach((own, i) => {
        expect(offsets[i] % alignment).toBe(0);
        expect(offsets[i] + own.elements).toBeLessThanOrEqual(elements);
        lives.slice(0, i).forEach((other, j) => {
          if (own.last < other.first || own.first > other.last) return;
          const apart = offsets[i] >= offsets[j] + other.elements || offsets[j] >= offsets[i] + own.elements;
          expect(apart, `${i} and ${j}`).toBe(true);
        });
      });
    }),
  );
});

it("the arena is no larger than all buffers side by side, and no smaller than the fullest moment", () => {
  fc.assert(
    fc.property(fc.array(life, { minLength: 1, maxLength: 60 }), (lives) => {
      const rounded = (n: number) => Math.ceil(n / alignment) * alignment;
      const { elements } = planArena(lives, alignment);
      expect(elements).toBeLessThanOrEqual(lives.reduce((sum, own) => sum + rounded(own.elements), 0));
      for (let call = 0; call <= 40; call++) {
        const alive = lives.filter(({ first, last }) => first <= call && call <= last);
        expect(elements).toBeGreaterThanOrEqual(alive.reduce((sum, own) => sum + rounded(own.elements), 0));
      }
    }),
  );
});

it("buffers one after the other share one place", () => {
  const lives = Array.from({ length: 10 }, (_, i) => ({ elements: 160, first: 2 * i, last: 2 * i + 1 }));
  expect(planArena(lives, alignment).elements).toBe(160);
});
