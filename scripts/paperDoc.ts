/** docs/paper.md: every claim of the paper beside our own count; no figure of ours is typed. */
import { breakEven } from "../src/ptdit/complexity/breakEven.ts";
import { complexity } from "../src/ptdit/complexity/complexity.ts";
import { matrixOf } from "../src/ptdit/complexity/counts.ts";
import { latentsOf, paperCases } from "../src/ptdit/complexity/paper.ts";
import { type RivalName, rivalComplexity, rivals } from "../src/ptdit/complexity/rivals.ts";
import { PTDiT } from "../src/ptdit/model.ts";
import { type PresetAlias, presets } from "../src/ptdit/presets.ts";
import { ablationClaims, ablationSection } from "./ablationDoc.ts";
import { table } from "./markdown.ts";
import { aboutTolerance, attentionRows, costRows, formulaPart, sizeRows, tokensAt, tolerance } from "./paperClaims.ts";
import { type Convention, count, giga, onLine, percent, printedOf, profiledOf, type Size, sized } from "./paperCounts.ts";
import { qualitySection } from "./qualityDoc.ts";
import { redundancyClaims, redundancySection } from "./redundancyDoc.ts";

/** Growth of attention's products with the tokens, at 64 windows: the exponent between two sizes. */
function growth() {
  const exponent = (of: (pixels: number) => number) => Math.log2(of(4096) / of(2048)) / 2;
  const model = (pixels: number) => {
    const side = pixels / 128;
    const window = [1, side, side] as const;
    return complexity(new PTDiT({ ...presets.B.config, window, proxyWindow: window }), { latents: latentsOf(pixels) });
  };
  const [at2048, at4096] = [model(2048), model(4096)];
  const own = (part: string) => exponent((pixels) => (pixels === 2048 ? at2048 : at4096).parts[part].qk);
  return { giim: own("giim"), window: own("window") };
}

/** Weights by another structure: without the zero-initialised layers and the modulation of the shifted windows, with matrices D x D in every
 *  second block but one. */
function otherParameters(name: PresetAlias): { readonly without: number; readonly matrices: number } {
  const { depth, heads, headDim } = presets[name].config;
  const width = heads * headDim;
  const layer = width * width + width;
  const without = count(name, 256).parameters - depth * (2 * layer + 3 * width);
  return { without, matrices: without + (depth / 2 - 1) * layer };
}

const sizesRows = (): string[][] =>
  (["S", "B", "L", "XL", "H"] as const).map((name) => {
    const { paperMillions = 0, config } = presets[name];
    const shape = `${config.depth} x ${config.heads * config.headDim}`;
    const cells = (parameters: number) => {
      const off = parameters / 1e6 / paperMillions - 1;
      return [`${(parameters / 1e6).toFixed(2)} M`, percent(off, 1)];
    };
    const { without, matrices } = otherParameters(name);
    return [
      ...[`PT-DiT/${name}`, shape, `${paperMillions} M`],
      ...[...cells(count(name, 256).parameters), ...cells(matrices), ...cells(without)],
    ];
  });

/** Printed figures of PT-DiT beside the graph that they fit, and the released one. */
const figureRows = (): string[][] =>
  paperCases
    .filter(({ model, printed }) => Object.hasOwn(profiledOf, model) && printed !== undefined)
    .map(({ model, pixels, frames, printed = 0 }) => {
      const size = model as Size;
      const [profiled, released] = [count(profiledOf[size], pixels, frames), count(size, pixels, frames)];
      const off = profiled.module / 1e9 - printed;
      return [
        `${size}, ${sized(`${pixels} px`, frames)}`,
        printed.toFixed(1),
        giga(profiled.module),
        Math.abs(off) <= 0.15 ? "" : off.toFixed(1),
        giga(profiled.matrix),
        giga(released.module),
        giga(released.matrix),
      ];
    });

/** Printed figures of the rivals beside both counts; Lumina-Next also at twice the side. */
const rivalRows = (): string[][] =>
  paperCases
    .filter(({ model, printed }) => Object.hasOwn(rivals, model) && !model.startsWith("ptdit") && printed !== undefined)
    .map(({ model, pixels, frames, printed = 0 }) => {
      const own = count(model, pixels, frames);
      const off = (convention: Convention) => own[convention] / 1e9 / printed - 1;
      const twice = () =>
        rivalComplexity(model as RivalName, { latents: [1, pixels / 4, pixels / 4] }).module / 1e9 / printed - 1;
      const fits = (["module", "matrix"] as const).find((convention) => Math.abs(off(convention)) < 0.011);
      const verdict = fits
        ? `${fits} (${percent(off(fits), 2)})`
        : model.startsWith("lumina-next-") && Math.abs(twice()) < 0.011
          ? `module at ${2 * pixels} px (${percent(twice(), 2)})`
          : "none";
      return [
        rivals[model as RivalName].title,
        sized(`${pixels}`, frames),
        printed.toFixed(1),
        giga(own.module),
        giga(own.matrix),
        verdict,
      ];
    });

/** Where shapes are from, models of one source together. */
function sourceLines(): string[] {
  const own = Object.entries(rivals).flatMap(([name, rival]) => (name.startsWith("ptdit") ? [] : [rival]));
  return [...new Set(own.map(({ source }) => source))].map((source) => {
    const models = own.filter((rival) => rival.source === source);
    const [{ uncertain, note }] = models;
    return [
      `- ${models.map(({ title }) => title).join(", ")}: ${source}`,
      ...(uncertain ? [`Not certain: ${uncertain}`] : []),
      ...(note ? [`Counted: ${note}`] : []),
    ].join(". ");
  });
}

const breakEvenRows = (): string[][] =>
  (["small", "B", "L", "XL", "H"] as const).map((name) => {
    const { config } = presets[name];
    const tokens = breakEven(config, 8, 120) ?? 0;
    const width = config.heads * config.headDim;
    return [name, String(width), tokens.toFixed(0), `${Math.round(16 * Math.sqrt(tokens))} px`];
  });

/** Claims that are no part of a cost. */
function countedClaims(): string[][] {
  const { giim, window } = growth();
  const [h, easy] = [count("H", 256).parameters, count("easyanimate-v4", 256, 48).parameters];
  return [
    [
      "attention is O(n·m), n tokens and m proxies",
      `from 2048 to 4096 px with 64 windows GIIM's products grow as n^${giim.toFixed(2)}, the windows' as n^${window.toFixed(2)}`,
      "**confirmed in part**: GIIM's are; with a fixed number of windows those grow with the picture, and their attention is n²/m",
    ],
    [
      "H has 3 million parameters more than EasyAnimateV4",
      `${((h - easy) / 1e6).toFixed(0)} million`,
      "**not confirmed**: million for hundred million, probably",
    ],
  ];
}

/** The best square window at each size, where it is not the paper's. */
function windowLines(): string {
  const lines = [256, 512, 1024, 2048].flatMap((pixels) => {
    const { n, side } = tokensAt(pixels);
    const part = (own: number) => formulaPart(n, own ** 2);
    const best = [1, 2, 4, 8, 16, 32].reduce((least, own) => (part(own) < part(least) ? own : least));
    return best === side
      ? []
      : [
          `at ${pixels} px (1,${best},${best}) would have ${percent(part(best), 1)} of full attention's in place of ${percent(part(side), 1)}`,
        ];
  });
  return lines.join(", ");
}

/** The page. */
export function paperDoc(): string {
  const figures = figureRows();
  const xl = count("XL", 2048);
  const dense = (xl.linear + xl.convolution) / xl.matrix;
  const share = (...names: readonly string[]) =>
    percent(names.reduce((sum, name) => sum + matrixOf(xl.parts[name]), 0) / xl.matrix);
  const cog = count("cogvideox-2b", 1024, 48);
  const mediators = (pixels: number) => printedOf("dam-b", pixels) ?? Number.NaN;
  const mediatorSteps = [256, 512, 1024].map((pixels) => +(mediators(pixels) / mediators(256)).toFixed(1)).join(" : ");
  return `# The paper, counted

Generated by \`npm run docs\` from \`ptdit audit\`'s counts, and from what was measured here (\`docs/measured/\`): no figure of ours is typed.
Counts are of one forward pass of one sample, without guidance, autoencoder or text encoder; G = 10⁹ multiply-adds, FLOPs are twice that.
Behind the autoencoder (8x) and patches of 2 x 2 a picture of R pixels has (R/16)² tokens.

Two conventions, always named. **Matrix**: every product of matrices, those of attention too. **Module**: what a tool that hooks modules sees
(thop): dense layers, convolutions and plain layer norms, but no product of attention. Two graphs of PT-DiT: the **released** one, counted from
our model, whose weights are the published checkpoint's to the last parameter; and the **profiled** one, a list of shapes that the printed
figures fit. That the paper measured the second is our inference; so is every sentence marked so.

## Claims

${table(["claim", "on printed figures", "profiled: module / matrix", "released: module / matrix", "verdict"], costRows())}

The claim holds (within ${tolerance} point; "about" within ${aboutTolerance}) for the released graph with everything counted: _confirmed_. It holds for the profiled graph
by what thop sees: _only without attention_. Neither, and of all printed figures no two give it: _cannot be derived_. Otherwise it is _not
confirmed_.

${table(
  [
    "attention's products, of full attention's",
    "paper",
    "1/P² + 1/P + 2P/N",
    "counted",
    "with the caption's, 120 tokens",
    "verdict",
  ],
  attentionRows(),
)}

${table(["claim", "counted or measured", "verdict"], [...countedClaims(), ...ablationClaims(), ...redundancyClaims()])}

Of an order, and of layers and times: all are _confirmed_, some and none the other way round are _confirmed in part_. What was measured is below.

## Claims at every size

By the same rules: module / matrix, and what the printed figures come to. DiT reads no captions: beside it PT-DiT also stands without what its
caption takes.

${table(["cost of", "graph", "256 px", "512 px", "1024 px", "2048 px"], sizeRows())}

## PT-DiT's figures

In G. _Off_: profiled, module, less what is printed, where that is more than rounding.

${table(["model", "printed", "profiled, module", "off", "profiled, matrix", "released, module", "released, matrix"], figures)}

${figures.filter(([, , , off]) => off === "").length} of ${figures.length} figures follow from the profiled graph. The other is a misprint, probably (our inference): the three sizes below give another,
${onLine("L", [256, 1024], 2048).toFixed(1)} by the line through two of them.

## The rivals' figures

${table(["model", "px x latent frames", "printed", "module", "matrix", "which fits, and how far off"], rivalRows())}

Two more inferences of ours. The ${mediators(256)} at 256 px is drawn without a clear owner: it is DAM's, probably, whose figures would then go as ${mediatorSteps};
DiT-B/2 counts ${giga(count("dit-b", 256).matrix)} there and PT-DiT/B ${giga(count("ptdit-profiled-b", 256).module)}. And Lumina-Next's ${printedOf("lumina-next-diffusers", 512)} at 512 px is a misprint, probably: by the line through
its figures at 256 and 1024 px it would be ${onLine("lumina-next-diffusers", [256, 1024], 512).toFixed(1)}, which is nearly that with two digits swapped.

Shapes are from:

${sourceLines().join("\n")}

## Parameters

${table(["model", "depth x width", "printed", "released graph", "off", "28 D² and L/2 - 1 matrices", "off", "28 D² alone", "off"], sizesRows())}

The table of sizes is not of the released graph (our inference, and a lead rather than a finding). Without that graph's zero-initialised
layers and the modulation of its shifted windows a block has 28 D²; with L/2 - 1 matrices of D x D beside, as in the profiled graph, L and H
are as printed, B without them, and S and XL by neither.

## What the numbers say that the paper does not

- For video the method is undersold: attention's products are ${percent((2 * cog.qk) / cog.matrix)} of CogVideoX-2B at 1024 px x 48, and the chart has none of them.
- In the released graph the dense layers are the bill: ${percent(dense, 1)} of XL at 2048 px. Window attentions take ${share("window", "shifted")}, the MLP
  ${share("mlp")}, GIIM ${share("giim")}, the caption ${share("text", "caption")}.
- Attention's products are fewest where a window has about sqrt(N/2) tokens: ${windowLines()}.
- Proxies begin to pay at a size that grows with the width, with 64 windows a picture and 120 tokens of text:

${table(["model", "width", "break-even, tokens", "behind the autoencoder"], breakEvenRows())}

![XL's multiply-adds by tokens, beside full attention and rivals](paper-cost.svg)

![The same of videos of 48 latent frames](paper-cost-video.svg)

${redundancySection()}

${qualitySection()}

${ablationSection()}
`;
}
