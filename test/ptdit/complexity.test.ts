import { describe, expect, it } from "vitest";
import { input } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { referencePlanning } from "../../src/backend/reference/planning.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import { webgpuPlanning } from "../../src/backend/webgpu/planning.js";
import { compile } from "../../src/program/program.js";
import { complexity } from "../../src/ptdit/complexity/complexity.js";
import { matrixOf, moduleOf } from "../../src/ptdit/complexity/counts.js";
import { type RivalName, rivalComplexity, rivals } from "../../src/ptdit/complexity/rivals.js";
import type { PTDiTConfig } from "../../src/ptdit/config.js";
import { PTDiT } from "../../src/ptdit/model.js";
import { type PresetAlias, presets } from "../../src/ptdit/presets.js";
import type { Triple } from "../../src/ptdit/windows.js";

const preset = (name: PresetAlias, window: Triple, more: Partial<PTDiTConfig> = {}): PTDiT =>
  new PTDiT({ ...presets[name].config, window, proxyWindow: window, ...more });

describe("a model's own graph", () => {
  // An independent counter's figures, of an implementation that shares nothing with this one.
  it.each([
    ["S", [1, 2, 2], [1, 32, 32], 4_569_431_040, 64_880_640, 22_617_248],
    ["B", [1, 2, 2], [1, 32, 32], 31_124_111_360, 408_944_640, 153_833_632],
    ["L", [1, 4, 4], [1, 64, 64], 484_482_677_760, 5_449_973_760, 637_712_384],
    ["XL", [1, 8, 8], [1, 128, 128], 3_372_612_599_808, 41_353_740_288, 1_131_629_216],
    ["H", [1, 16, 16], [1, 256, 256], 22_463_670_942_720, 492_797_952_000, 1_890_738_752],
    ["XL", [4, 2, 2], [8, 32, 32], 1_712_536_436_736, 19_025_362_944, 1_131_629_216],
  ] as const)(
    "of %s with windows %j and latents %j is counted to the last digit",
    (name, window, latents, dense, qk, weights) => {
      const own = complexity(preset(name, window), { latents });
      expect(own.linear + own.convolution).toBe(dense);
      expect([own.qk, own.av, own.other]).toEqual([qk, qk, 0]);
      expect(own.parameters).toBe(weights);
      expect(own.matrix).toBe(dense + 2 * qk);
    },
  );

  it("is counted for a video of 196,608 tokens without its tables", () => {
    const before = process.memoryUsage().rss;
    const { matrix } = complexity(preset("H", [4, 8, 8]), { latents: [48, 128, 128] });
    expect(Math.round(matrix / 1e9)).toBe(293_222);
    // The position table alone would be 1.1 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(800e6);
  });

  it("of full attention is PixArt-alpha's", () => {
    for (const side of [32, 64]) {
      const full = complexity(preset("XL", [1, 2, 2], { mixing: "full" }), { latents: [1, side, side] });
      const { linear, convolution, qk, av, module, parameters } = rivalComplexity("pixart-alpha", { latents: [1, side, side] });
      expect(full).toMatchObject({ linear, convolution, qk, av, module, parameters });
    }
  });

  it("counts the caption's tokens, and nothing where there are no captions", () => {
    const of = (textTokens: number) => complexity(preset("B", [1, 2, 2]), { latents: [1, 32, 32], textTokens });
    const { depth, captionChannels } = presets.B.config;
    const width = 640;
    const more = of(121).matrix - of(120).matrix;
    expect(more).toBe(depth * (2 * width ** 2 + 2 * 256 * width) + Number(captionChannels) * width + width ** 2);
    expect(complexity(preset("S", [1, 2, 2]), { latents: [1, 32, 32] }).parts).not.toHaveProperty("text");
  });

  it("tells the interpolation of proxies from the layers", () => {
    const own = { injection: "interpolation", window: [1, 2, 2], patch: 4 } as const;
    const { other, matrix, module } = complexity(new PTDiT(own), { latents: [1, 32, 32], textTokens: 8 });
    expect(other).toBe(6 * 64 * 16 * 128); // blocks x tokens x proxies x width
    expect(matrix - module).toBeGreaterThan(other);
  });

  it("counts norms as thop does: 2 an element, 4 with weight and bias", () => {
    const of = (normAffine: boolean) =>
      complexity(new PTDiT({ normAffine, patch: 4 }), { latents: [1, 32, 32], textTokens: 8 }).parts;
    expect(of(false).mlp.norms).toBe(2 * 6 * 64 * 128);
    expect(of(true).mlp.norms).toBe(4 * 6 * 64 * 128);
    expect(of(true).final.norms).toBe(2 * 64 * 128);
    const rms = complexity(new PTDiT({ norm: "rms", patch: 4 }), { latents: [1, 32, 32], textTokens: 8 });
    expect(rms.norms).toBe(0);
  });

  it("has parts that sum to the whole, and equal blocks that sum to theirs", () => {
    const { parts, blocks = [], matrix, module } = complexity(preset("B", [1, 2, 2]), { latents: [1, 32, 32] });
    expect(blocks).toHaveLength(12);
    expect(new Set(blocks.map((own) => JSON.stringify(own))).size).toBe(1);
    const branches = ["giim", "window", "shifted", "text", "mlp"].map((name) => matrixOf(parts[name]));
    expect(12 * matrixOf(blocks[0])).toBe(branches.reduce((all, own) => all + own));
    const sum = (of: typeof matrixOf) => Object.values(parts).reduce((all, own) => all + of(own), 0);
    expect([sum(matrixOf), sum(moduleOf)]).toEqual([matrix, module]);
    expect(Object.keys(parts)).toEqual(
      expect.arrayContaining(["patchEmbed", "conditioning", "caption", "giim", "window", "shifted", "text", "mlp", "final"]),
    );
  });

  it("is the same in every device's program", () => {
    const model = new PTDiT({ patch: 2, sizeConditions: true, heads: 3, pooledCaption: true });
    const latents = [1, 16, 16] as const;
    const inputs = {
      x: input([1, 3, ...latents]),
      t: input([1]),
      caption: input([1, 8, 64]),
      keep: input([1, 8]),
      resolution: input([1, 2]),
      aspect: input([1, 1]),
    };
    const { matrix } = complexity(model, { latents, textTokens: 8 });
    const planned = [referencePlanning(), wasmPlanning(), webgpuPlanning()].map((device: Device) =>
      compile(device, { inputs, outputs: { out: model.forward(inputs) } }).steps.reduce(
        (all, own) => all + own.multiplyAdds,
        0,
      ),
    );
    expect(planned).toEqual([matrix, matrix, matrix]);
  });

  it("refuses what it cannot count", () => {
    const model = new PTDiT();
    expect(() => complexity(model, { latents: [1, 32] as unknown as Triple })).toThrow(/latents must be/);
    expect(() => complexity(model, { latents: [1, 31, 32] })).toThrow(/whole multiples of the patch/);
    expect(() => complexity({} as PTDiT, { latents: [1, 32, 32] })).toThrow(/the model must be a PTDiT/);
  });
});

describe("a rival", () => {
  it.each([
    ["pixart-alpha", [1, 64, 64], 542_419_992_576, 37_786_484_736, 610_856_096],
    ["dit-b", [1, 64, 64], 87_055_269_888, 9_663_676_416, 130_315_808],
    ["cogvideox-2b", [48, 128, 128], 261_269_641_560_064, 2_231_632_716_825_600, 1_693_783_872],
  ] as const)("%s at %j is counted to the last digit", (name, latents, dense, qk, weights) => {
    const own = rivalComplexity(name, { latents });
    expect(own.linear + own.convolution).toBe(dense);
    expect([own.qk, own.av]).toEqual([qk, qk]);
    expect(own.parameters).toBe(weights);
  });

  const square = (px: number, frames = 1): Triple => [frames, px / 8, px / 8];

  // What the paper, or the rival's own, prints: in thousand millions of multiply-adds, and millions of parameters.
  it.each([
    ["dit-s", square(256), "matrix", 6.06, 33],
    ["dit-l", square(256), "matrix", 80.7, 458],
    ["dit-xl", square(256), "matrix", 118.62, 675],
    ["dam-s", square(256), "matrix", 5.76, undefined],
    ["pixart-alpha", square(2048), "module", 8536.1, 611],
    ["cogvideox-2b", square(512, 48), "module", 65_590.2, 1694],
    ["cogvideox-5b", square(256, 48), "module", undefined, 5570],
    ["easyanimate-v4", square(1024, 48), "module", 244_614.1, 1517],
    ["lumina-next", square(512), "matrix", 1524.5, 1627],
    ["lumina-next-diffusers", square(2048), "module", 24_027.7, 1755],
    ["ptdit-profiled-b", square(512), "module", 86.1, undefined],
    ["ptdit-profiled-l", square(1024), "module", 1423.9, undefined],
    ["ptdit-profiled-xl", square(1024, 48), "module", 120_514, undefined],
    ["ptdit-profiled-h", square(2048), "module", 16_828.3, undefined],
  ] as const)("%s at %j has a %s count as printed", (name: RivalName, latents, convention, printed, millions) => {
    const side = latents[1] / 16;
    const own = rivalComplexity(name, {
      latents,
      ...(rivals[name].windows && { window: [latents[0] > 1 ? 4 : 1, side, side] }),
    });
    if (printed !== undefined) expect(own[convention] / 1e9).toBeCloseTo(printed, printed < 200 ? 1 : 0);
    if (millions !== undefined) expect(Math.round(own.parameters / 1e6)).toBe(millions);
  });

  it("is refused what it does not read", () => {
    expect(() => rivalComplexity("dit-b", { latents: [4, 32, 32] })).toThrow(/draws pictures, got 4 frames/);
    expect(() => rivalComplexity("dit-b", { latents: [1, 32, 32], textTokens: 8 })).toThrow(/reads no captions/);
    expect(() => rivalComplexity("dit-b", { latents: [1, 31, 32] })).toThrow(/whole patches/);
    expect(() => rivalComplexity("pixart-alpha", { latents: [1, 32, 32], window: [1, 2, 2] })).toThrow(/no windows/);
    expect(() => rivalComplexity("ptdit-profiled-b", { latents: [1, 32, 32] })).toThrow(/Give theirs/);
    expect(() => rivalComplexity("ptdit-profiled-b", { latents: [1, 32, 32], window: [1, 3, 3] })).toThrow(/tile the tokens/);
    expect(() => rivalComplexity("easyanimate-v4", { latents: [1, 32, 32], textTokens: 77 })).toThrow(/more than 77/);
    expect(() => rivalComplexity("dit-q" as RivalName, { latents: [1, 32, 32] })).toThrow(/unknown rival "dit-q"/);
  });

  it("is not counted inexactly", () => {
    // Each count is exact, their sum the nearest number there is.
    const { linear, convolution, qk, av, matrix } = rivalComplexity("cogvideox-5b", { latents: square(1024, 48) });
    const sum = [linear, convolution, qk, av].reduce((all, own) => all + BigInt(own), 0n);
    expect(sum).toBeGreaterThan(2n ** 53n);
    expect(matrix).toBe(Number(sum));
    expect(() => rivalComplexity("cogvideox-5b", { latents: square(4096, 48) })).toThrow(/more than 2\^53/);
  });
});
