import type { Plane } from "./grain.js";

/** Gathers how steep residuals are across the borders of patches, and inside patches. */
export class Seam {
  private readonly across = { steps: 0, count: 0 };
  private readonly inside = { steps: 0, count: 0 };

  constructor(
    /** Side of a patch, in pixels. */
    private readonly patch: number,
  ) {}

  /** Adds what each place differs by from the next in its row, and in its column.
   *  @shape residual [H, W] */
  add(residual: Float32Array, { rows, columns }: Plane): void {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        if (column + 1 < columns) this.step(residual[at + 1] - residual[at], column + 1);
        if (row + 1 < rows) this.step(residual[at + columns] - residual[at], row + 1);
      }
    }
  }

  /** Notes a difference; `to` is the row or column that it leads to. */
  private step(difference: number, to: number): void {
    const place = to % this.patch === 0 ? this.across : this.inside;
    place.steps += Math.abs(difference);
    place.count++;
  }

  /** Mean step across borders over that inside patches; null: there are no borders, or nothing lies or differs inside. */
  get value(): number | null {
    const { across, inside } = this;
    if (across.count === 0 || inside.steps === 0) return null;
    return across.steps / across.count / (inside.steps / inside.count);
  }
}
