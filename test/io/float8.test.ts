import { describe, expect, it } from "vitest";
import { decodeFloat8 } from "../../src/io/float8.js";

const all = Uint8Array.from({ length: 256 }, (_, i) => i);

/** Values that the papers' tables give for bit patterns. */
describe.each([
  ["F8_E4M3", { 126: 448, 8: 2 ** -6, 7: 0.875 * 2 ** -6, 254: -448, 127: Number.NaN, 255: Number.NaN }],
  ["F8_E5M2", { 123: 57344, 4: 2 ** -14, 3: 0.75 * 2 ** -14, 124: Infinity, 252: -Infinity, 125: Number.NaN }],
  ["F8_E4M3FNUZ", { 127: 240, 8: 2 ** -7, 128: Number.NaN, 255: -240 }],
  ["F8_E5M2FNUZ", { 127: 57344, 4: 2 ** -15, 128: Number.NaN, 255: -57344 }],
  ["F8_E8M0", { 0: 2 ** -127, 127: 1, 254: 2 ** 127, 255: Number.NaN }],
] as const)("%s", (type, expected) => {
  const values = decodeFloat8(type, all);

  it("has the values of the table", () => {
    for (const [pattern, value] of Object.entries(expected)) expect(values[Number(pattern)], pattern).toBe(value);
  });

  it("rises with its patterns", () => {
    const finite = [...values.subarray(0, 128)].filter(Number.isFinite);
    for (let i = 1; i < finite.length; i++) expect(finite[i]).toBeGreaterThan(finite[i - 1]);
  });
});
