/** The paper's claims beside our counts, as rows of docs/paper.md. */
import { type Complexity, matrixOf } from "../src/ptdit/complexity/counts.ts";
import { latentsOf } from "../src/ptdit/complexity/paper.ts";
import { type RivalName, rivals } from "../src/ptdit/complexity/rivals.ts";
import { type Convention, count, percent, printedOf, profiledOf, type Size, sized } from "./paperCounts.ts";

/** Sides that the paper has pictures and videos of. @units pixels */
const sides = { 1: [256, 512, 1024, 2048], 48: [256, 512, 1024] } as const;
type Frames = keyof typeof sides;

/** How far a figure may be from the claimed one, in points of a percentage. */
export const tolerance = 1;
/** The same where "about" is said. */
export const aboutTolerance = 5;

/** Said as a saving, or as a part. */
type Said = "saving" | "part";
const said: Readonly<Record<Said, (part: number) => string>> = {
  part: (part) => percent(part, part < 0.1 ? 1 : 0),
  saving: (part) => `${part > 1 ? "+" : "−"}${percent(Math.abs(part - 1))}`,
};

/** A claim that one model's cost is a part of another's. */
interface CostClaim {
  readonly claim: string;
  readonly own: Size;
  readonly rival: RivalName;
  readonly pixels: number;
  readonly frames: Frames;
  /** The part that is claimed. */
  readonly part: number;
  readonly as: Said;
  readonly about?: true;
  readonly why: string;
}

const dit = { own: "B", rival: "dit-b", pixels: 1024, frames: 1, as: "saving" } as const;
const pixArt = { own: "L", rival: "pixart-alpha", pixels: 1024, frames: 1, as: "saving" } as const;
const easyAnimate = { own: "H", rival: "easyanimate-v4", pixels: 1024, frames: 48, as: "part" } as const;
const ofXL = { own: "XL", pixels: 1024, frames: 48, part: 0.5, as: "part", about: true, why: "as for H" } as const;
const withAndWithout = "the figure of DiT has attention's products and that of PT-DiT has none";
const bothWithout = "both figures leave attention's products out; with them the profiled graph saves more from 512 px on";

const costClaims: readonly CostClaim[] = [
  { claim: "49 % less than DiT", ...dit, part: 0.51, why: withAndWithout },
  { claim: "48 % less than DiT (v1)", ...dit, part: 0.52, why: withAndWithout },
  { claim: "34 % less than PixArt-alpha", ...pixArt, part: 0.66, why: bothWithout },
  { claim: "33 % less than PixArt-alpha (introduction)", ...pixArt, part: 0.67, why: bothWithout },
  {
    claim: "35 % less than PixArt-alpha (v1)",
    ...pixArt,
    part: 0.65,
    why: "it follows from no figures that v2 prints, and those of v1 were not to be had",
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
  { claim: "82 % of EasyAnimateV4", ...easyAnimate, part: 0.82, why: "as with CogVideoX" },
  {
    claim: "85 % of EasyAnimateV4 (v1)",
    ...easyAnimate,
    part: 0.85,
    why: "the only figures that v2 prints of the two give 82 %, and those of v1 were not to be had",
  },
  { claim: "about half of CogVideoX, of XL", ...ofXL, rival: "cogvideox-2b" },
  { claim: "about half of EasyAnimateV4, of XL", ...ofXL, rival: "easyanimate-v4" },
];

/** What printed figures of two models come to at a size. */
function printedPart(own: Size, rival: RivalName, pixels: number, frames: number): number | undefined {
  const [a, b] = [printedOf(profiledOf[own], pixels, frames), printedOf(rival, pixels, frames)];
  return a === undefined || b === undefined ? undefined : a / b;
}

/** A row a claim. */
export const costRows = (): string[][] =>
  costClaims.map(({ claim, own, rival, pixels, frames, part, as, about, why }) => {
    const other = count(rival, pixels, frames);
    const [profiled, released] = [count(profiledOf[own], pixels, frames), count(own, pixels, frames)];
    const ratio = (model: Complexity, convention: Convention) => model[convention] / other[convention];
    const near = (value: number | undefined) =>
      value !== undefined && Math.abs(value - part) <= (about ? aboutTolerance : tolerance) / 100;
    const cells = (model: Complexity) => `${said[as](ratio(model, "module"))} / ${said[as](ratio(model, "matrix"))}`;
    const verdict = near(ratio(released, "matrix"))
      ? "confirmed"
      : near(ratio(profiled, "module"))
        ? "only without attention"
        : sides[frames].some((side) => near(printedPart(own, rival, side, frames)))
          ? "not confirmed"
          : "cannot be derived";
    const printed = printedPart(own, rival, pixels, frames);
    return [
      claim,
      `${own}, ${sized(`${pixels} px`, frames)}: ${printed === undefined ? "-" : said[as](printed)}`,
      ...[cells(profiled), cells(released)],
      `**${verdict}**: ${why}`,
    ];
  });

/** What is compared at every size. */
const compared: readonly { readonly own: Size; readonly rival: RivalName; readonly frames: Frames; readonly as: Said }[] = [
  { own: "B", rival: "dit-b", frames: 1, as: "saving" },
  { own: "L", rival: "pixart-alpha", frames: 1, as: "saving" },
  { own: "XL", rival: "pixart-alpha", frames: 1, as: "saving" },
  { own: "H", rival: "lumina-next", frames: 1, as: "saving" },
  { own: "H", rival: "lumina-next-diffusers", frames: 1, as: "saving" },
  { own: "H", rival: "cogvideox-2b", frames: 48, as: "part" },
  { own: "H", rival: "easyanimate-v4", frames: 48, as: "part" },
  { own: "XL", rival: "cogvideox-2b", frames: 48, as: "part" },
  { own: "XL", rival: "easyanimate-v4", frames: 48, as: "part" },
];

/** Every product but those of the caption: what a rival without captions is held against. */
const withoutText = ({ matrix, parts }: Complexity): number => matrix - matrixOf(parts.text) - matrixOf(parts.caption);

/** Each comparison at every size: by printed figures, and by the counts of both graphs in both conventions. */
export const sizeRows = (): string[][] =>
  compared.flatMap(({ own, rival, frames, as }) => {
    const row = (graph: string, cell: (pixels: number) => string): string[] => [
      `${own} and ${rivals[rival].title}`,
      graph,
      ...sides[1].map((pixels) => ((sides[frames] as readonly number[]).includes(pixels) ? cell(pixels) : "")),
    ];
    const both = (of: (pixels: number) => Complexity) => (pixels: number) => {
      const [model, other] = [of(pixels), count(rival, pixels, frames)];
      return `${said[as](model.module / other.module)} / ${said[as](model.matrix / other.matrix)}`;
    };
    const printed = (pixels: number) => {
      const part = printedPart(own, rival, pixels, frames);
      return part === undefined ? "" : said[as](part);
    };
    const released = (pixels: number) => count(own, pixels, frames);
    return [
      ...(sides[frames].some((pixels) => printed(pixels)) ? [row("printed", printed)] : []),
      row(
        "profiled",
        both((pixels) => count(profiledOf[own], pixels, frames)),
      ),
      row("released", both(released)),
      ...(rivals[rival].textTokens === 0
        ? [
            row("released, no text branch: matrix", (pixels) =>
              said[as](withoutText(released(pixels)) / count(rival, pixels, frames).matrix),
            ),
          ]
        : []),
    ];
  });

/** Attention's products as a part of full attention's, by the paper's formula. @units n, p: tokens of the picture, of a window */
export const formulaPart = (n: number, p: number): number => 1 / p ** 2 + 1 / p + (2 * p) / n;

/** Tokens of a square picture, and a side of the paper's window there. */
export function tokensAt(pixels: number): { readonly n: number; readonly side: number } {
  const [, latents] = latentsOf(pixels);
  return { n: (latents / 2) ** 2, side: latents / 16 };
}

const attentionClaims = [
  { pixels: 256, printed: "34.3" },
  { pixels: 512, printed: "9.7" },
  { pixels: 1024, printed: "4.7" },
  { pixels: 2048, printed: "2.3" },
];

/** Attention's products of a block, as a part of full attention's: by the formula, and counted with the caption's on both sides. */
export const attentionRows = (): string[][] =>
  attentionClaims.map(({ pixels, printed }) => {
    const { n, side } = tokensAt(pixels);
    const [own, full] = [count("XL", pixels), count("pixart-alpha", pixels)];
    const [half, text] = [own.qk, own.parts.text.qk];
    // The paper cuts its figures, and does not round them.
    const gives = (window: number) => (Math.floor(1000 * formulaPart(n, window ** 2)) / 10).toFixed(1) === printed;
    const other = attentionClaims.map((claim) => tokensAt(claim.pixels).side).find(gives);
    const why =
      other === undefined
        ? "no window of the paper's gives it"
        : `that of the window (1,${other},${other}) is ${percent(formulaPart(n, other ** 2), 2)} (our inference)`;
    return [
      `${pixels} px, window (1,${side},${side})`,
      `${printed} %`,
      percent(formulaPart(n, side ** 2), 2),
      percent((half - text) / (full.qk - text), 2),
      percent(half / full.qk, 1),
      gives(side) ? "**confirmed** (cut, not rounded)" : `**not confirmed**: ${why}`,
    ];
  });
