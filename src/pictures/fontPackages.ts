import type { Bidi } from "bidi-js";
import { runtime } from "#runtime";
import { type Font, lettersOf, smallFont } from "./font.js";
import { emoji, type Face, pointsOf, ScriptFont, type Shaper, unitsPerPixel } from "./scriptFont.js";

/** A package of fonts in WOFF2 files: one for all letters, or one for each range its `unicode.json` names. */
interface FontPackage {
  readonly name: string;
  /** Size of the em. */
  readonly pixels: number;
  /** The one file of all letters. */
  readonly file?: string;
  /** The one range that is wanted; without it every range of the package. */
  readonly range?: string;
  readonly pixelated?: boolean;
  /** Asked for emoji alone: such fonts have digits too, for keycaps. */
  readonly emoji?: boolean;
}

const noto = (name: string, pixels: number): FontPackage => ({ name: `@fontsource-variable/noto-${name}`, pixels });

/** A script whose letters are joined or reordered. */
const script = (name: string, style = "sans"): FontPackage => ({ ...noto(`${style}-${name}`, 13), range: name });

/** In the order they are asked for letters. The sizes make lower-case letters about equally high; where they can, stems meet the pixels. */
const fontPackages: readonly FontPackage[] = [
  { ...noto("emoji", 14), emoji: true },
  script("arabic"),
  // Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Lao.
  { name: "@fontsource/dejavu-sans", pixels: 11, file: "dejavu-sans-latin-400-normal.woff2" },
  ...["devanagari", "bengali", "gurmukhi", "gujarati", "oriya", "tamil", "telugu", "kannada", "malayalam", "sinhala"].map(
    (name) => script(name),
  ),
  ...["thai", "khmer", "myanmar"].map((name) => script(name)),
  script("tibetan", "serif"),
  // All others: Han, kana, Hangul, Ethiopic, Cherokee and a hundred more, on a grid of 16 pixels.
  { name: "@fontsource/unifontex", pixels: 16, file: "unifontex-latin-400-normal.woff2", pixelated: true },
];

/** Large packages with Han letters beyond the first 65536 code points, which few texts have: used where they are installed. */
const largePackages: readonly FontPackage[] = [noto("sans-jp", 15), noto("sans-hk", 15)];

/** Where modules and files of packages come from. */
export interface PackageSource {
  /** Imports a module; rejects where it is not installed. */
  load(specifier: string): Promise<unknown>;
  /** Reads a file of a package; undefined where it is not installed. */
  read(packageName: string, file: string): Promise<Uint8Array | undefined>;
}

/** What is installed beside the library. */
export const installedPackages: PackageSource = {
  load: (specifier) => runtime.packages.load(specifier),
  read: (packageName, file) => runtime.packages.read(`${packageName}/${file}`).catch(() => undefined),
};

/** The packages that draw other scripts than English and are not installed. */
export async function absentScriptPackages(): Promise<string[]> {
  const names = ["harfbuzzjs", "bidi-js", "woff2-encoder", ...fontPackages.map(({ name }) => name)];
  return names.filter((name) => !runtime.packages.has(name));
}

/**
 * The font to draw these texts with: the small one if it has all their letters, otherwise one of the installed packages' that have them;
 * still the small one where the packages are missing. Its `missing` tells what it cannot draw.
 */
export async function fontFor(texts: readonly string[], source: PackageSource = installedPackages): Promise<Font> {
  if (texts.every((text) => smallFont.missing(text).length === 0)) return smallFont;
  const engine = await loadEngine(source);
  if (!engine) return smallFont;
  const faces = await facesFor(texts, engine, source);
  return faces.length > 0 ? new ScriptFont(engine, faces, texts) : smallFont;
}

interface Engine extends Shaper {
  /** WOFF2 to the tables HarfBuzz reads. */
  readonly unpack: (bytes: Uint8Array) => Promise<Uint8Array>;
}

/** Loaded when first used, so that whoever draws English alone needs no package. */
async function loadEngine(source: PackageSource): Promise<Engine | undefined> {
  try {
    const harfbuzz = (await source.load("harfbuzzjs")) as Engine["harfbuzz"];
    const { default: bidiFactory } = (await source.load("bidi-js")) as { default: () => Bidi };
    const { default: unpack } = (await source.load("woff2-encoder/decompress")) as { default: Engine["unpack"] };
    return { harfbuzz, bidi: bidiFactory(), unpack };
  } catch {
    return undefined;
  }
}

/** The faces that have the letters of some texts; none is loaded for letters an earlier one has. */
async function facesFor(texts: readonly string[], engine: Engine, source: PackageSource): Promise<Face[]> {
  const wanted = new Set(texts.flatMap((text) => lettersOf(text.normalize("NFC"))));
  const faces: Face[] = [];
  for (const fontPackage of [...fontPackages, ...largePackages]) {
    const asked = [...wanted].filter((letter) => !fontPackage.emoji || emoji.test(letter));
    for (const file of await filesFor(fontPackage, new Set(asked.flatMap(pointsOf)), source)) {
      const face = await faceFrom(fontPackage, file, engine, source);
      if (!face) continue;
      faces.push(face);
      for (const letter of asked) if (pointsOf(letter).every((point) => face.letters.has(point))) wanted.delete(letter);
    }
  }
  return faces;
}

/** Files of a package that have some of these code points. */
async function filesFor(
  { name, file, range }: FontPackage,
  points: ReadonlySet<number>,
  source: PackageSource,
): Promise<string[]> {
  if (points.size === 0) return [];
  if (file) return [file];
  const ranges = await source.read(name, "unicode.json");
  if (!ranges) return [];
  const byName = JSON.parse(new TextDecoder().decode(ranges)) as Readonly<Record<string, string>>;
  return Object.entries(byName)
    .filter(([part, list]) => part === (range ?? part) && list.split(",").some((own) => holdsAny(own, points)))
    .map(([part]) => `${name.slice(name.indexOf("/") + 1)}-${part.replace(/[[\]]/g, "")}-wght-normal.woff2`);
}

/** Whether a range like `U+0900-097F` holds one of these code points. */
function holdsAny(range: string, points: ReadonlySet<number>): boolean {
  const [first, last = first] = range
    .replace("U+", "")
    .split("-")
    .map((digits) => Number.parseInt(digits, 16));
  return [...points].some((point) => point >= first && point <= last);
}

/** Faces by file, for each source: unpacking the largest takes half a second. */
const loaded = new WeakMap<PackageSource, Map<string, Promise<Face | undefined>>>();

function faceFrom(fontPackage: FontPackage, file: string, engine: Engine, source: PackageSource): Promise<Face | undefined> {
  const own = loaded.get(source) ?? new Map<string, Promise<Face | undefined>>();
  loaded.set(source, own);
  const face = own.get(file) ?? loadFace(fontPackage, file, engine, source);
  own.set(file, face);
  return face;
}

async function loadFace(
  { name, pixels, pixelated = false, emoji = false }: FontPackage,
  file: string,
  { harfbuzz, unpack }: Engine,
  source: PackageSource,
): Promise<Face | undefined> {
  const packed = await source.read(name, `files/${file}`);
  // A damaged file is as good as none: the letters count as missing.
  const bytes = packed && (await unpack(packed).catch(() => undefined));
  if (!bytes) return undefined;
  const face = new harfbuzz.Face(new harfbuzz.Blob(bytes));
  const font = new harfbuzz.Font(face);
  font.setScale(pixels * unitsPerPixel, pixels * unitsPerPixel);
  // The lightest weight is some fonts' own.
  font.setVariations([new harfbuzz.Variation("wght", 400)]);
  return { font, letters: new Set(face.collectUnicodes()), pixelated, emoji };
}
