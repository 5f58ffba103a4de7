import { type Font, paint } from "./font.js";
import type { Colour, Picture } from "./picture.js";

/** A line of a chart and what it is called. */
export interface LegendEntry {
  readonly name: string;
  readonly colour: Colour;
}

/** Pixels of a line's sample, after it, and between entries. */
const [sample, afterSample, between] = [16, 4, 12];
const sampleThickness = 2;

/** Names beside samples of their lines, in one row. */
export class Legend {
  readonly width: number;

  constructor(
    private readonly entries: readonly LegendEntry[],
    private readonly font: Font,
  ) {
    this.width = entries.reduce((width, entry) => width + this.widthOf(entry), 0) + between * Math.max(0, entries.length - 1);
  }

  /** Draws the row with its left top corner at (x, y). */
  draw(picture: Picture, x: number, y: number, ink: Colour): void {
    let left = x;
    const middle = y + Math.floor(this.font.lineHeight / 2) - 1;
    for (const entry of this.entries) {
      for (let i = 0; i < sample * sampleThickness; i++) {
        paint(picture, left + (i % sample), middle + Math.floor(i / sample), entry.colour);
      }
      this.font.draw(picture, entry.name, left + sample + afterSample, y, ink);
      left += this.widthOf(entry) + between;
    }
  }

  private widthOf({ name }: LegendEntry): number {
    return sample + afterSample + this.font.width(name);
  }
}
