import type { Device } from "../../src/backend/device.js";
import type { StepOf } from "../../src/backend/fastest.js";
import { handledLater } from "../../src/base/handledLater.js";
import type { Trainer } from "../../src/ptdit/trainer.js";

/** Steps of a trainer, by which devices are held against each other: with as many in flight as the device likes, as a run takes them. */
export const trainingSteps =
  (trainerOn: (device: Device) => Trainer | Promise<Trainer>): StepOf =>
  async (device) => {
    const trainer = await trainerOn(device);
    trainer.plan(Number.POSITIVE_INFINITY);
    const steps = device.target.runsInFlight;
    return {
      steps,
      run: () => Promise.all(Array.from({ length: steps }, () => handledLater(trainer.next()))),
      dispose: () => trainer.dispose(),
    };
  };
