import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, type Plan, planArenas } from "../../src/program/plan.js";

const alignment = 16;
const rounded = (n: number) => Math.ceil(n / alignment) * alignment;
const life = fc.record({ first: fc.nat(30), length: fc.nat(10) }).map(({ first, length }) => ({ first, last: first + length }));
/** A block of one part, or of several that begin one after the other. */
const block = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1000 }), life), { minLength: 1, maxLength: 4 })
  .map((parts): Block => {
    let elements = 0;
    const own = parts.map(([size, when]) => {
      const part = { start: elements, elements: size, ...when };
      elements += size;
      return part;
    });
    return { elements, parts: own };
  });
const simple = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), life)
  .map(([elements, when]): Block => ({ elements, parts: [{ start: 0, elements, ...when }] }));

function checkApart(blocks: readonly Block[], { places, arenas }: Plan): void {
  const parts = blocks.flatMap(({ parts }, i) =>
    parts.map((part) => ({ ...part, arena: places[i].arena, from: places[i].offset + part.start, i })),
  );
  places.forEach(({ arena, offset }, i) => {
    expect(offset % alignment).toBe(0);
    expect(offset + blocks[i].elements).toBeLessThanOrEqual(arenas[arena]);
  });
  parts.forEach((own, a) => {
    for (const other of parts.slice(0, a)) {
      if (own.i === other.i || own.arena !== other.arena || own.last < other.first || own.first > other.last) continue;
      const apart = own.from >= other.from + other.elements || other.from >= own.from + own.elements;
      expect(apart, `${own.i} and ${other.i}`).toBe(true);
    }
  });
}

describe("the arena's plan", () => {
  it("keeps apart what lives at the same time, and holds it all", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(simple, block), { maxLength: 60 }), (blocks) => {
        checkApart(blocks, planArenas(blocks, alignment));
      }),
    );
  });

  it("takes several arenas where one would be larger than a storage, and none that is", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(simple, block), { maxLength: 60 }), (blocks) => {
        const largest = 4096;
        const plan = planArenas(blocks, alignment, largest);
        checkApart(blocks, plan);
        for (const elements of plan.arenas) expect(elements).toBeLessThanOrEqual(largest);
      }),
    );
  });

  it("is no larger than all side by side, and no smaller than the fullest moment", () => {
    fc.assert(
      fc.property(fc.array(simple, { minLength: 1, maxLength: 60 }), (blocks) => {
        const [elements] = planArenas(blocks, alignment).arenas;
        expect(elements).toBeLessThanOrEqual(blocks.reduce((sum, own) => sum + rounded(own.elements), 0));
        for (let call = 0; call <= 40; call++) {
          const alive = blocks.filter(({ parts: [{ first, last }] }) => first <= call && call <= last);
          expect(elements).toBeGreaterThanOrEqual(alive.reduce((sum, own) => sum + rounded(own.elements), 0));
        }
      }),
    );
  });

  it("gives one place to blocks that live one after the other", () => {
    const blocks = Array.from({ length: 10 }, (_, i) => ({
      elements: 160,
      parts: [{ start: 0, elements: 160, first: 2 * i, last: 2 * i + 1 }],
    }));
    expect(planArenas(blocks, alignment).arenas).toEqual([160]);
  });

  it("fills the steps of a block whose parts come one after the other", () => {
    const steps = { elements: 320, parts: [0, 1].map((i) => ({ start: 160 * i, elements: 160, first: 2 - 2 * i, last: 3 })) };
    const before = { elements: 160, parts: [{ start: 0, elements: 160, first: 0, last: 1 }] };
    expect(planArenas([before, steps], alignment).arenas).toEqual([320]);
  });
});
