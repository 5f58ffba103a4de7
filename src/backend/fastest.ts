/** Takes the device that is faster for a step at hand, by a short measurement. */
import { DeviceError } from "../base/errors.js";
import { callable, checkOptions, checkValue, object, type Rules } from "../base/options.js";
import { type Choice, choose, type Trial } from "./choice.js";
import type { Device } from "./device.js";
import { type WasmOptions, wasm } from "./wasm/device.js";
import { hardware, type WebGpuOptions } from "./webgpu/open.js";

/** What devices are held against each other by. */
export interface TimedStep {
  /** Takes it; the device may be at it still when the promise is kept. */
  run(): Promise<unknown>;
  /** Steps of one run; 1 if not given. */
  readonly steps?: number;
  /** Gives back what it took of the device. */
  dispose(): void;
}

/** Makes the step on a device.
 *  @throws DeviceError when it does not fit: the device is not chosen then */
export type StepOf = (device: Device) => TimedStep | Promise<TimedStep>;

export interface FastestOptions {
  /** Of the devices that may be chosen. */
  readonly wasm?: WasmOptions;
  readonly webgpu?: WebGpuOptions;
}
const rules: Rules<FastestOptions> = { wasm: object, webgpu: object };

/** A device that may be chosen, and why it was or was not. */
export interface Fastest extends Choice {
  readonly device: Device;
}

/**
 * Starts the device on which a step is faster: WASM, or WebGPU where there is a GPU. Both take a few steps, in a few seconds; software
 * adapters, which are slower than WASM, are not tried, and without a GPU nothing is measured. What is chosen depends on the moment: name
 * a device where the same bits must come again.
 *
 *     const { device, why } = await fastestDevice((device) => buildWorkload(device, presets.small));
 *
 * @throws ConfigError when an option is unknown or against its rule
 * @throws DeviceError when not even WASM can start
 */
export async function fastestDevice(step: StepOf, options: FastestOptions = {}): Promise<Fastest> {
  checkValue("fastestDevice", "the step", step, callable);
  checkOptions("fastestDevice", options, rules);
  const usual = { name: "wasm", open: () => wasm(options.wasm) };
  return fastestOf(usual, { name: "webgpu", open: () => hardware(options.webgpu) }, step);
}

/** A device that is not open yet. */
export interface Contender {
  readonly name: string;
  /** @throws DeviceError when there is none here */
  open(): Promise<Device>;
}

/** As `fastestDevice`, of any two. The usual one is taken where the other is not there, and where neither can take the step.
 *  @throws whatever ends a step, but for a DeviceError; no device is left open then */
export async function fastestOf(
  usual: Contender,
  other: Contender,
  step: StepOf,
  now: () => number = () => performance.now(),
): Promise<Fastest> {
  const rival = await orReason(() => other.open());
  let own: Device | undefined;
  try {
    own = await usual.open();
    if (typeof rival === "string") return { ...choose([usual, { ...other, without: rival }]), device: own };
    const trials: [Trial, Trial] = [await trial(usual.name, own, step, now), await trial(other.name, rival, step, now)];
    const choice = choose(trials);
    const [device, left] = choice.name === other.name ? [rival, own] : [own, rival];
    left.close();
    return { ...choice, device };
  } catch (error) {
    own?.close();
    if (typeof rival !== "string") rival.close();
    throw error;
  }
}

async function trial(name: string, device: Device, step: StepOf, now: () => number): Promise<Trial> {
  const result = await orReason(() => millisecondsOn(device, step, now));
  return typeof result === "string" ? { name, without: result } : { name, ms: result };
}

/** A first run that takes longer than this is believed, although engines and drivers are still warming up. @units ms */
const patience = 3000;
/** Runs whose fastest counts: up to so many, as long as they fit this time. */
const [mostRuns, timedMs] = [8, 1000];

/** What a step takes on a device. @units ms */
export async function millisecondsOn(device: Device, stepOf: StepOf, now: () => number): Promise<number> {
  const step = await stepOf(device);
  try {
    // Shaders compile; that is no part of a step.
    await device.settled?.();
    const timed = async () => {
      const from = now();
      await step.run();
      await device.settled?.();
      return now() - from;
    };
    const first = await timed();
    let best = first > patience ? first : Number.POSITIVE_INFINITY;
    for (let runs = 0, spent = 0; first <= patience && runs < mostRuns && spent < timedMs; runs++) {
      const ms = await timed();
      spent += ms;
      best = Math.min(best, ms);
    }
    return best / (step.steps ?? 1);
  } finally {
    step.dispose();
  }
}

/** What a device does, or in a sentence why it cannot.
 *  @throws whatever is no DeviceError */
async function orReason<T>(body: () => Promise<T>): Promise<T | string> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return firstSentence(error.message);
  }
}

/** The rule that broke, without the cure. */
const firstSentence = (message: string): string => message.split(/\.(?= [A-Z])/)[0].replace(/\.$/, "");
