/** docs/paper.md: every claim of the paper beside our own count; no figure of ours is typed. */
import { breakEven } from "../src/ptdit/complexity/breakEven.ts";
import { complexity } from "../src/ptdit/complexity/complexity.ts";
import type { Complexity } from "../src/ptdit/complexity/counts.ts";
import { countCase, latentsOf, type PaperCase, paperCases } from "../src/ptdit/complexity/paper.ts";
import { type RivalName, rivalComplexity, rivals } from "../src/ptdit/complexity/rivals.ts";
import { PTDiT } from "../src/ptdit/model.ts";
import { presets } from "../src/ptdit/presets.ts";
import { table } from "./markdown.ts";
import { ablationSection, redundancySection } from "./measuredDoc.ts";

type Model = PaperCase["model"];
type Convention = "matrix" | "module";

const counted = new Map<string, Complexity>();
/** A case, counted once. */
function count(model: Model, pixels: number, frames = 1): Complexity {
  const key = [model, pixels, frames].join();
  const known = counted.get(key) ?? countCase({ model, pixels, frames });
  counted.set(key, known);
  return known;
}
const printedOf = (model: Model, pixels: number, frames = 1): number => {
  const own = paperCases.find((one) => one.model === model && one.pixels === pixels && one.frames === frames)?.printed;
  if (own === undefined) throw new Error(`paper: nothing is printed of ${model} at ${pixels} px x ${frames}`);
  return own;
};

const profiledOf = { B: "ptdit-profiled-b", L: "ptdit-profiled-l", XL: "ptdit-profiled-xl", H: "ptdit-profiled-h" } as const;
type Size = keyof typeof profiledOf;

const giga = (value: number): string => (value / 1e9).toFixed(1);
const percent = (part: number, digits = 0): string => `${(100 * part).toFixed(digits)} %`;
const saving = (own: number, other: number): string => {
  const change = 100 * (own / other - 1);
  return `${change > 0 ? "+" : "−"}${Math.abs(change).toFixed(0)} %`;
};
/** A side, and latent frames where there are several. */
const sized = (side: string, frames: number): string => (frames > 1 ? `${side} x ${frames}` : side);

/** How far a figure may be from ours, in points of a percentage. */
const tolerance = 1;

/** A claim that one model's cost is a part of another's. */
interface CostClaim {
  readonly claim: string;
  readonly own: Size;
  readonly rival: RivalName;
  readonly pixels: number;
  readonly frames: number;
  /** The part that is claimed. */
  readonly part: number;
  /** Said as a saving, or as a part. */
  readonly as: "saving" | "part";
  readonly why: string;
}

const costClaims: readonly CostClaim[] = [
  {
    claim: "49 % less than DiT (v1: 48 %)",
    ...{ own: "B", rival: "dit-b", pixels: 1024, frames: 1, part: 0.51, as: "saving" },
    why: "the figure of DiT has attention's products and that of PT-DiT has none",
  },
  {
    claim: "34 % less than PixArt-alpha (introduction: 33 %, v1: 35 %)",
    ...{ own: "L", rival: "pixart-alpha", pixels: 1024, frames: 1, part: 0.66, as: "saving" },
    why: "both figures leave attention's products out; with them the profiled graph saves more from 512 px on",
  },
  {
    claim: "82 % less than Lumina-Next",
    ...{ own: "H", rival: "lumina-next-diffusers", pixels: 512, frames: 1, part: 0.18, as: "saving" },
    why: "the printed rival is four times its count at the named size, as if a picture of twice the side was counted (our inference)",
  },
  {
    claim: "77.2 % of CogVideoX",
    ...{ own: "H", rival: "cogvideox-2b", pixels: 1024, frames: 48, part: 0.772, as: "part" },
    why: "neither figure has attention's products, which are nearly all of CogVideoX at this size: the method is undersold",
  },
  {
    claim: "82 % of EasyAnimateV4",
    ...{ own: "H", rival: "easyanimate-v4", pixels: 1024, frames: 48, part: 0.82, as: "part" },
    why: "as with CogVideoX",
  },
  {
    claim: "85 % of EasyAnimateV4 (v1)",
    ...{ own: "H", rival: "easyanimate-v4", pixels: 1024, frames: 48, part: 0.85, as: "part" },
    why: "no printed figures give it",
  },
  {
    claim: "about half of CogVideoX, of XL",
    ...{ own: "XL", rival: "cogvideox-2b", pixels: 1024, frames: 48, part: 0.461, as: "part" },
    why: "as for H",
  },
  {
    claim: "about half of EasyAnimateV4, of XL",
    ...{ own: "XL", rival: "easyanimate-v4", pixels: 1024, frames: 48, part: 0.493, as: "part" },
    why: "as for H",
  },
];

function costRow({ claim, own, rival, pixels, frames, part, as, why }: CostClaim): string[] {
  const other = count(rival, pixels, frames);
  const [profiled, released] = [count(profiledOf[own], pixels, frames), count(own, pixels, frames)];
  const ratio = (model: Complexity, convention: Convention) => model[convention] / other[convention];
  const shown = (value: number) => (as === "part" ? percent(value, value < 0.1 ? 1 : 0) : saving(value, 1));
  const near = (value: number) => Math.abs(value - part) <= tolerance / 100;
  const verdict = near(ratio(released, "matrix"))
    ? "confirmed"
    : near(ratio(profiled, "module"))
      ? "only without attention"
      : "not confirmed";
  const fromPrinted = printedOf(profiledOf[own], pixels, frames) / printedOf(rival, pixels, frames);
  return [
    claim,
    `${own}, ${sized(`${pixels} px`, frames)}: ${shown(fromPrinted)}`,
    `${shown(ratio(profiled, "module"))} / ${shown(ratio(profiled, "matrix"))}`,
    `${shown(ratio(released, "module"))} / ${shown(ratio(released, "matrix"))}`,
    `**${verdict}**: ${why}`,
  ];
}

/** Attention's products of a block, as a part of full attention's: by the formula, and counted with the caption's on both sides. */
function attentionRows(): string[][] {
  const claims = [
    { pixels: 256, printed: "34.3" },
    { pixels: 512, printed: "9.7" },
    { pixels: 1024, printed: "4.7" },
    { pixels: 2048, printed: "2.3" },
  ];
  return claims.map(({ pixels, printed }) => {
    const [, side] = latentsOf(pixels);
    const [n, p] = [(side / 2) ** 2, (side / 16) ** 2];
    const formula = 1 / p ** 2 + 1 / p + (2 * p) / n;
    const own = count("XL", pixels);
    const full = count("pixart-alpha", pixels);
    const [half, text] = [own.qk, own.parts.text.qk];
    const withoutText = (half - text) / (full.qk - text);
    // The paper cuts its figures, and does not round them.
    const cut = (Math.floor(1000 * formula) / 10).toFixed(1);
    return [
      `${pixels} px, window (1,${side / 16},${side / 16})`,
      `${printed} %`,
      percent(formula, 2),
      percent(withoutText, 2),
      percent(half / full.qk, 1),
      cut === printed
        ? "**confirmed** (cut, not rounded)"
        : "**not confirmed**: that of the window (1,8,8) is 2.37 % (our inference)",
    ];
  });
}

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

const sizesRows = (): string[][] =>
  (["S", "B", "L", "XL", "H"] as const).map((name) => {
    const { parameters } = count(name, 256);
    const { paperMillions = 0, config } = presets[name];
    const off = parameters / 1e6 / paperMillions - 1;
    const shape = `${config.depth} x ${config.heads * config.headDim}`;
    return [`PT-DiT/${name}`, shape, `${paperMillions} M`, `${(parameters / 1e6).toFixed(2)} M`, `${(100 * off).toFixed(1)} %`];
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
    const [{ uncertain }] = models;
    return `- ${models.map(({ title }) => title).join(", ")}: ${source}${uncertain ? `. Not certain: ${uncertain}` : ""}`;
  });
}

const breakEvenRows = (): string[][] =>
  (["small", "B", "L", "XL", "H"] as const).map((name) => {
    const { config } = presets[name];
    const tokens = breakEven(config, 8, 120) ?? 0;
    const width = config.heads * config.headDim;
    return [name, String(width), tokens.toFixed(0), `${Math.round(16 * Math.sqrt(tokens))} px`];
  });

/** The page. */
export function paperDoc(): string {
  const { giim, window } = growth();
  const figures = figureRows();
  const [h, easy] = [count("H", 256).parameters, count("easyanimate-v4", 256, 48).parameters];
  const xl = count("XL", 2048);
  const dense = (xl.linear + xl.convolution) / xl.matrix;
  const cog = count("cogvideox-2b", 1024, 48);
  return `# The paper, counted

Generated by \`npm run docs\` from \`ptdit audit\`'s counts: no figure of ours is typed. Everything is one forward pass of one sample, without
guidance, autoencoder or text encoder; G = 10⁹ multiply-adds, FLOPs are twice that. Behind the autoencoder (8x) and patches of 2 x 2 a picture
of R pixels has (R/16)² tokens.

Two conventions, always named. **Matrix**: every product of matrices, those of attention too. **Module**: what a tool that hooks modules sees
(thop): dense layers, convolutions and plain layer norms, but no product of attention. Two graphs of PT-DiT: the **released** one, counted from
our model, whose weights are the published checkpoint's to the last parameter; and the **profiled** one, a list of shapes that the printed
figures fit. That the paper measured the second is our inference; so is every sentence marked so.

## Claims

${table(["claim", "on printed figures", "profiled: module / matrix", "released: module / matrix", "verdict"], costClaims.map(costRow))}

The claim holds (within ${tolerance} point) for the released graph with everything counted: _confirmed_. It holds for the profiled graph by what thop sees:
_only without attention_. Otherwise it is _not confirmed_.

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

| claim | counted | verdict |
|---|---|---|
| attention is O(n·m), n tokens and m proxies | from 2048 to 4096 px with 64 windows GIIM's products grow as n^${giim.toFixed(2)}, the windows' as n^${window.toFixed(2)} | **only GIIM**: with a fixed number of windows those grow with the picture, and their attention is n²/m |
| H has 3 million parameters more than EasyAnimateV4 | ${((h - easy) / 1e6).toFixed(0)} million | **not confirmed**: million for hundred million, probably |

## PT-DiT's figures

In G. _Off_: profiled, module, less what is printed, where that is more than rounding.

${table(["model", "printed", "profiled, module", "off", "profiled, matrix", "released, module", "released, matrix"], figures)}

${figures.filter(([, , , off]) => off === "").length} of ${figures.length} figures follow from the profiled graph. The other is a misprint, probably (our inference): the three sizes below give another.

## The rivals' figures

${table(["model", "px x latent frames", "printed", "module", "matrix", "which fits, and how far off"], rivalRows())}

Shapes are from:

${sourceLines().join("\n")}

## Parameters

${table(["model", "depth x width", "printed", "released graph", "off"], sizesRows())}

## What the numbers say that the paper does not

- For video the method is undersold: attention's products are ${percent((2 * cog.qk) / cog.matrix)} of CogVideoX-2B at 1024 px x 48, and the chart has none of them.
- In the released graph the dense layers are the bill: ${percent(dense, 1)} of XL at 2048 px.
- Proxies begin to pay at a size that grows with the width, with 64 windows a picture and 120 tokens of text:

${table(["model", "width", "break-even, tokens", "behind the autoencoder"], breakEvenRows())}

![XL's multiply-adds by tokens, beside full attention and rivals](paper-cost.svg)

${redundancySection()}

${ablationSection()}
`;
}
