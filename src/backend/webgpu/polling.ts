import type { GpuDevice } from "../../base/gpu.js";

/** Firefox looks for what a GPU has done whenever something is submitted, and else every 100 ms: a training step that reads its loss
 *  would take no less. */
const looksRarely = (): boolean => /\bFirefox\//.test(globalThis.navigator?.userAgent ?? "");

/** Time between two looks. In pages that are hidden timers are slower, and it is as it is without. @units ms */
const pauseMs = 2;

/** Waits for what the GPU does; where the engine looks for that rarely, it is made to look by submitting nothing. */
export async function whenDone<T>({ queue }: GpuDevice, work: Promise<T>): Promise<T> {
  if (!looksRarely()) return work;
  const look = () => {
    queue.submit([]);
    timer = setTimeout(look, pauseMs);
  };
  let timer = setTimeout(look, pauseMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
