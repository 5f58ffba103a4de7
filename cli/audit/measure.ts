/** Measured beside counted: one forward pass on this machine. */
import { freemem } from "node:os";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import { ConfigError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import { releaseParameters } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";
import { sampleInputs } from "../../src/ptdit/complexity/complexity.js";
import { wasmOptions } from "../device.js";
import type { Counted } from "./subject.js";

/** How long a forward pass takes. */
export interface Measured {
  readonly milliseconds: number;
  readonly threads: number;
  /** @units 10^9 multiply-adds a second, of the matrix convention */
  readonly gigaMultiplyAdds: number;
}

/** The fastest of so many runs after one that warms up. */
const runs = 3;
/** How much of the free memory a program may take. */
const usable = 0.6;

/** Runs it on the WASM device.
 *  @throws ConfigError for a rival, or where it would not fit this machine's free memory */
export async function timeForward(counted: Counted, threads: number | undefined): Promise<Measured> {
  const planning = wasmPlanning();
  const { bytes } = forwardProgram(planning, counted).program;
  const most = Math.min(usable * freemem(), planning.target.largestStorageBytes);
  const gibibytes = (size: number): string => `${(size / 2 ** 30).toFixed(1)} GiB`;
  if (bytes.total > most)
    throw new ConfigError(
      `audit: --measure would need ${gibibytes(bytes.total)}, and ${gibibytes(most)} may be used: what WebAssembly can hold, and no more than ${100 * usable} % of the free memory. Choose a smaller size or model.`,
    );
  const device = await wasm(wasmOptions({ threads }));
  try {
    const { program, feed, release } = forwardProgram(device, counted);
    try {
      await program.run(feed);
      let milliseconds = Number.POSITIVE_INFINITY;
      for (let i = 0; i < runs; i++) {
        const start = performance.now();
        await program.run(feed);
        milliseconds = Math.min(milliseconds, performance.now() - start);
      }
      const gigaMultiplyAdds = counted.counts.matrix / 1e6 / milliseconds;
      return { milliseconds, threads: device.describe().threads, gigaMultiplyAdds };
    } finally {
      program.dispose();
      release();
    }
  } finally {
    device.close();
  }
}

/** One forward pass on random numbers. */
function forwardProgram(device: Device, { name, model, latents, textTokens }: Counted) {
  if (!model)
    throw new ConfigError(`audit: --measure runs models of ours, ${name} is known by its shapes alone. Leave it out.`);
  const inputs = sampleInputs(model, { latents, ...(textTokens > 0 && { textTokens }) });
  const program = compile(device, { inputs, outputs: { out: model.forward(inputs) } });
  const feed = Object.fromEntries(
    Object.entries(inputs).map(([key, { size }], stream) => {
      if (key === "keep") return [key, new Float32Array(size).fill(1)];
      return [key, key === "labels" ? new Float32Array(size) : Float32Array.from(normalNumbers(size, 1, stream))];
    }),
  );
  return { program, feed, release: () => releaseParameters(device, model.parameters().values()) };
}
