/** Plain words for colours. */

/** The words for colours that every speaker of English uses alike, the commoner first.
 *  @source Berlin and Kay, "Basic Color Terms", 1969 */
export const colourNames = [
  ...(["black", "white", "red", "green", "yellow", "blue", "brown", "grey", "orange", "purple", "pink"] as const),
] as const;

export type ColourName = (typeof colourNames)[number];

/** Up to what hue a word holds, in degrees from red over green and blue; what lies above is red again. */
const hues: readonly (readonly [end: number, name: ColourName])[] = [
  [17, "red"],
  [40, "orange"],
  [66, "yellow"],
  [172, "green"],
  [255, "blue"],
  [308, "purple"],
  [344, "pink"],
  [360, "red"],
];

/**
 * The plain word for a colour. Borders are set by eye in hue, saturation and brightness: these are quotients of whole numbers, which
 * every machine rounds alike; the powers of a colour space nearer to the eye are not.
 * @units red, green, blue in 0..255
 */
export function colourName(red: number, green: number, blue: number): ColourName {
  const brightness = Math.max(red, green, blue);
  const chroma = brightness - Math.min(red, green, blue);
  if (brightness < 48) return "black";
  const saturation = chroma / brightness; // 0 grey .. 1 full
  const hue = hueOf(red, green, blue, brightness, chroma);
  if (isGrey(hue, saturation, brightness)) return greyName(brightness - chroma, brightness);
  const isWarm = hue >= 9 && hue < 54;
  // Dark orange and what is not full of it: wood, leather, earth.
  if (isWarm && (brightness < 208 || (saturation < 0.5 && brightness < 226))) return "brown";
  // Dark red that is not full of it is brown too; light red is pink.
  if ((hue < 9 || hue >= 344) && saturation < 0.62) return brightness < 150 ? "brown" : "pink";
  // Skin and peach are pink, cream is yellow, olive is green.
  if (hue < 40 && saturation < 0.36) return hue < 30 ? "pink" : "yellow";
  if (hue >= 54 && hue < 66 && brightness < 170) return "green";
  return hues.find(([end]) => hue < end)?.[1] ?? "red";
}

/** @units degrees, 0 red, 120 green, 240 blue; 0 of a grey */
function hueOf(red: number, green: number, blue: number, brightness: number, chroma: number): number {
  if (chroma === 0) return 0;
  if (brightness === red) return 60 * ((green - blue) / chroma + (green < blue ? 6 : 0));
  if (brightness === green) return 60 * ((blue - red) / chroma + 2);
  return 60 * ((red - green) / chroma + 4);
}

/** Whether a colour has too little hue to be called by it. Steel and slate, which are bluish, are called grey. */
function isGrey(hue: number, saturation: number, brightness: number): boolean {
  if (saturation < 0.14) return true;
  const isCool = hue >= 150 && hue < 255;
  return isCool && brightness < 200 && saturation < (brightness < 100 ? 0.45 : 0.33);
}

function greyName(darkest: number, brightness: number): ColourName {
  if (brightness < 88) return "black";
  return darkest >= 212 ? "white" : "grey";
}
