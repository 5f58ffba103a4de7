import { sinusoid } from "../../autograd/ops/sinusoid.js";
import { constant } from "../../autograd/tensor.js";
import type { Device } from "../../backend/device.js";
import { FormatError } from "../../base/errors.js";
import type { SafetensorsFile } from "../../io/safetensors.js";
import { read } from "../../program/program.js";
import { resolutionRatio, sampleTimes } from "../flow.js";
import { positionTable } from "../positions.js";
import { shiftedOrder, type Triple, windowOrder } from "../windows.js";
import { tensorOf } from "./fixture.js";
import { largest, type Numbers, type Report, relativeError } from "./report.js";
import { canonicalBias, shiftBias } from "./shiftBias.js";

/** Position tables, time features, schedules, window orders and shift masks. */
export async function verifyTables(file: SafetensorsFile, device: Device, report: Report, tolerance: number): Promise<void> {
  for (const [name, { data, shape }] of file.tensors) {
    const [kind, key = "", part] = name.split(".");
    if (kind === "pe") {
      const [width, frames, rows, columns] = key.split("x").map(Number);
      const scale = Number(/scale(\d+)/.exec(name)?.[1] ?? 1);
      const own = positionTable(width, [frames, rows, columns], scale);
      report.add(
        "positions",
        name,
        name.endsWith(".rows") ? rowsError(own, data, width) : relativeError(own, data, 1),
        tolerance,
      );
    } else if (kind === "time" && key === "features256") {
      const { data: t, shape: tShape } = tensorOf(file, "time.t");
      const own = (await read(device, sinusoid(constant(Float64Array.from(t), tShape), shape.at(-1)))).data;
      report.add("time features", name, relativeError(own, data, 1), tolerance);
    } else if (kind === "schedule") {
      const ratio = scheduleRatio(key);
      const own =
        part === "ratio"
          ? [ratio]
          : sampleTimes(data.length, ratio)
              .slice(0, -1)
              .map((u) => 1000 * u);
      report.add("schedules", name, relativeError(own, data, largest(data)), tolerance);
    } else if (kind === "mask" && part !== "grid" && part !== "window") {
      const triple = (own: string): Triple => {
        const [frames, rows, columns] = tensorOf(file, `mask.${key}.${own}`).data;
        return [frames, rows, columns];
      };
      const [grid, window] = [triple("grid"), triple("window")];
      const order = windowOrder(grid, window, window, "block");
      if (part === "bias") report.add("windows", name, relativeError(shiftBias(grid, { window }), canonicalBias(data), 1), 0);
      if (part === "order") report.add("windows", name, relativeError(order, data, 1), 0);
      if (part === "order_shifted")
        report.add(
          "windows",
          name,
          relativeError(
            shiftedOrder(order, grid, window).map((i) => order[i]),
            data,
            1,
          ),
          0,
        );
    }
  }
}

/** Ratio of a schedule named px512, px512x768 or video17x512. */
function scheduleRatio(key: string): number {
  const picture = /^px(\d+)(?:x(\d+))?$/.exec(key);
  if (picture) return resolutionRatio(Number(picture[1]), Number(picture[2] ?? picture[1]));
  const video = /^video(\d+)x(\d+)$/.exec(key);
  if (video) return resolutionRatio(Number(video[2]), Number(video[2]), Number(video[1]));
  throw new FormatError(`verify: schedule "${key}" is not named px<side>, px<height>x<width> or video<frames>x<side>.`);
}

/** A selection of rows: each must be a row of the table, in its order. */
function rowsError(table: Numbers, data: Numbers, width: number): number {
  let from = 0;
  let worst = 0;
  for (let row = 0; row < data.length; row += width) {
    const wanted = Array.from({ length: width }, (_, d) => data[row + d]);
    let best = Number.POSITIVE_INFINITY;
    let bestAt = from;
    for (let at = from; at < table.length; at += width) {
      const error = relativeError(wanted, (table as Float32Array).subarray(at, at + width), 1);
      if (error < best) [best, bestAt] = [error, at];
    }
    from = bestAt + width;
    worst = Math.max(worst, best);
  }
  return worst;
}
