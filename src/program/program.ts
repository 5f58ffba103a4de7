import type { Buffer, View } from "../autograd/buffer.js";
import { hostData, type Tensor } from "../autograd/tensor.js";
import { type CallCost, callBuffers, callCost, mapBuffers } from "../backend/calls.js";
import { checkDevice, type Device, type Executable, type Slot, type Storage } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import { ConfigError, DeviceError } from "../base/errors.js";
import { show } from "../base/options.js";
import { showShape } from "../base/shape.js";
import { Turns } from "../base/turns.js";
import { Allotment } from "./allotment.js";
import { type Anatomy, anatomyOf } from "./anatomy.js";
import { type Binding, Feed, type RunInputs } from "./feed.js";
import { arrange } from "./lifetimes.js";
import { type Lowered, lower } from "./lower.js";
import { type Pack, type Place, placeOn } from "./parameters.js";
import { showCall, showProgram } from "./print.js";
import { rewrite } from "./rewrite.js";
import { checkNamed, checkSpec, type ProgramSpec } from "./spec.js";
import type { Update } from "./updates.js";
import { Value } from "./value.js";

/** The first value of a run that is not finite, and what made it. */
export interface NonFinite {
  readonly op: string;
  readonly scope: string;
  readonly value: number;
  /** The kernel call that wrote it, as `String(program)` prints it. */
  readonly call: string;
}

/** Bytes a program takes, known before it runs. */
export interface ProgramBytes {
  readonly arena: number;
  readonly constants: number;
  readonly inputs: number;
  readonly parameters: number;
  readonly total: number;
}

/** What a program's kernel calls move and hold. */
export interface Footprint {
  readonly calls: number;
  /** Bytes that calls read and write. */
  readonly traffic: number;
  /** Bytes of the arena. */
  readonly arena: number;
}

/** One kernel call of a program, for profiles. */
export interface ProgramStep extends CallCost {
  readonly kernel: string;
  readonly op: string;
  readonly scope: string;
}

/**
 * Compiles a graph for a device: drops what nothing needs, fuses, plans memory, loads the kernel calls.
 * @throws ShapeError when an input of the graph is not named, or an update does not fit its parameter
 * @throws DeviceError when the program does not fit the device; nothing is taken then
 */
export function compile<I extends string = never, O extends string = never>(
  device: Device,
  spec: ProgramSpec<I, O>,
): Program<I, O> {
  return new Program(device, spec);
}

/** A compiled graph: replayed with new inputs, it allocates nothing. Calls of it that come while another is under way wait for their
 *  turn, with the numbers they were given when they came; on devices that compute beside the host some runs may be under way at once
 *  (`Target.runsInFlight`), one after the other all the same. */
export class Program<I extends string = string, O extends string = string> {
  readonly bytes: ProgramBytes;
  readonly steps: readonly ProgramStep[];
  /** The number of the next run: random leaves depend on it. Set it to resume a sequence. */
  runs = 0;
  private readonly feed: Feed<I>;
  private readonly outputs: readonly Required<Binding<O>>[];
  private readonly counter: Slot;
  // Kept from run to run, as the bindings are, so that a step leaves next to nothing to the garbage collector.
  private readonly count = new Int32Array(1);
  private readonly owned: Storage[] = [];
  private readonly slots = new Map<Buffer, Slot>();
  private readonly results: readonly Tensor[];
  private readonly updates: readonly Update[];
  private readonly lowered: Lowered;
  private readonly arranged: ReturnType<typeof arrange>;
  private readonly executable: Executable;
  private readonly turns: Turns;
  /** The parameters that a run sets, and where all that it uses lie. */
  private readonly changed: readonly Place[];
  private readonly packs: readonly Pack[];

  /** See `compile`. */
  constructor(
    private readonly device: Device,
    private readonly spec: ProgramSpec<I, O>,
  ) {
    checkDevice("compile", device);
    checkSpec(spec);
    this.turns = new Turns("program", "Compile it again.", device.target.runsInFlight);
    const { inputs = {} as Record<I, Tensor>, outputs = {} as Record<O, Tensor>, updates = [] } = spec;
    const { target, bytesPerElement } = device;
    const results = Object.values<Tensor>(outputs);
    const standsFor = rewrite([...results, ...updates.map(([, value]) => value)], target);
    this.results = results.map(standsFor);
    this.updates = updates.map(([parameter, value]) => [parameter, standsFor(value)]);
    const allotment = new Allotment(device);
    const parameters = (leaves: readonly Tensor[], together: readonly (readonly Tensor[])[]) =>
      allotment.place(leaves, together);
    this.lowered = lower(this.results, this.updates, target, { parameters });
    const { views, leaves } = this.lowered;
    checkNamed(inputs, leaves);
    this.arranged = arrange(this.lowered, this.results, device);
    const { buffers, plan } = this.arranged;
    const bytesOf = (elements: readonly number[]) => elements.reduce((sum, n) => sum + n, 0) * bytesPerElement;
    const arena = bytesOf(plan.arenas);
    const constants = bytesOf(views.constants.buffers.map(({ elements }) => elements));
    const inputBytes = bytesOf([...views.inputs.values()].map(({ elements }) => elements));
    const parameterBytes = bytesOf([...allotment.views.keys()].map(({ size }) => size));
    const total = arena + constants + inputBytes + parameterBytes;
    this.bytes = { arena, constants, inputs: inputBytes, parameters: parameterBytes, total };

    try {
      const arenas = plan.arenas.map((elements) => this.own(elements, "the arena of a program", "scratch"));
      buffers.forEach((buffer, i) => {
        const { arena: own, offset } = plan.places[i];
        this.slots.set(buffer, { storage: arenas[own], offset });
      });
      allotment.settle();
      for (const [buffer, { storage }] of allotment.packs) this.slots.set(buffer, { storage, offset: 0 });
      for (const buffer of views.inputs.values()) this.slots.set(buffer, this.ownSlot(buffer, "an input"));
      for (const buffer of views.constants.buffers) this.slots.set(buffer, this.ownSlot(buffer, "constants"));
      if (!device.plansOnly) this.writeConstants();
      this.counter = this.ownSlot(views.counter, "the run counter");
      this.slots.set(views.counter, this.counter);
      this.executable = device.load(this.lowered.calls.map(({ call }) => mapBuffers(call, (view) => this.slot(view))));
    } catch (error) {
      for (const storage of this.owned) device.release(storage);
      allotment.release();
      throw error;
    }
    this.packs = [...new Set(allotment.packs.values())];
    this.changed = updates.flatMap(([parameter]) => placeOn(device, parameter) ?? []);
    const bindings = (Object.entries(inputs) as [I, Tensor][]).map(([name, tensor]) => {
      const buffer = views.inputs.get(tensor);
      return { name, tensor, size: tensor.size, ...(buffer ? { slot: this.slot({ buffer, offset: 0 }) } : {}) };
    });
    this.feed = new Feed(bindings);
    this.outputs = (Object.entries(outputs) as [O, Tensor][]).map(([name, tensor]) => ({
      name,
      tensor,
      size: tensor.size,
      slot: this.slot(this.lowered.viewOf(standsFor(tensor))),
    }));
    this.steps = this.lowered.calls.map(({ call, op, scope }) => ({ kernel: call.kernel, op, scope, ...callCost(call) }));
  }

  /** What the program moves and holds, or would if nothing were fused. */
  footprint(fused: boolean): Footprint {
    const { device } = this;
    const lowered = fused ? this.lowered : lower(this.results, this.updates, device.target, { apart: true });
    const { arenas } = arrange(lowered, this.results, device).plan;
    const traffic = lowered.calls.reduce((sum, { call }) => sum + callCost(call).bytes, 0);
    return { calls: lowered.calls.length, traffic, arena: arenas.reduce((sum, n) => sum + n, 0) * device.bytesPerElement };
  }

  /** Replays the program and reads its outputs.
   *  @shape every input as it was declared -> every output
   *  @throws ShapeError when an input is missing or has another count of numbers
   *  @throws ConfigError when a name is not an input's
   *  @throws DeviceError when the program is disposed of, its device closed, or a parameter it uses released */
  async run(inputs: RunInputs<I>): Promise<Record<O, Value>> {
    const given = this.turns.waits(true) ? this.feed.copy(inputs) : inputs;
    const turn = this.turns.enter(true);
    if (turn) await turn;
    try {
      this.start(given);
      this.replay();
      const result = {} as Record<O, Value>;
      let waiting: Promise<void>[] | undefined; // of a device that must be waited for
      for (let i = 0; i < this.outputs.length; i++) {
        const output = this.outputs[i];
        const data = this.device.read(output.slot, output.size, output.tensor.dtype);
        if (data instanceof Promise) waiting = [...(waiting ?? []), receive(result, output, data)];
        else result[output.name] = new Value(output.tensor.shape, data);
      }
      if (waiting) await Promise.all(waiting);
      return result;
    } finally {
      this.turns.leave();
    }
  }

  /** Of one run, exactly. */
  get multiplyAdds(): number {
    return this.steps.reduce((sum, own) => sum + own.multiplyAdds, 0);
  }

  /** Groups of calls that may run at once. */
  get intervals(): number {
    return this.executable.intervals;
  }

  /** Calls, the memory they use and when: what prints of the program are made from. */
  get anatomy(): Anatomy {
    const { device, lowered, arranged, intervals } = this;
    const { inputs = {}, outputs = {}, updates = [] } = this.spec;
    const names = new Map(
      [...Object.entries<Tensor>(outputs), ...Object.entries<Tensor>(inputs)].map(([name, x]) => [x, name]),
    );
    const roots = [...Object.values<Tensor>(outputs), ...updates.map(([, value]) => value)];
    return anatomyOf({ lowered, ...arranged, bytesPerElement: device.bytesPerElement, names, intervals, roots });
  }

  /** A line a call: what it is, what it writes and reads and where, its work, and what it writes over. */
  toString(): string {
    return showProgram(this.anatomy, this.bytes);
  }

  /** Replays the program with the inputs and the counter of the last run, and reads nothing: what benchmarks time. */
  repeat(): void {
    this.turns.checkIdle("repeat");
    this.replay();
  }

  /** Runs call by call and returns the first that wrote a number that is not finite. Updates are applied as in `run`. */
  async findNonFinite(inputs: RunInputs<I>): Promise<NonFinite | undefined> {
    const given = this.turns.waits() ? this.feed.copy(inputs) : inputs;
    return this.turns.take(async () => {
      this.start(given);
      for (const [index, { call, op, scope }] of this.lowered.calls.entries()) {
        this.replay(index, index + 1);
        for (const { buffer, elements, writes } of callBuffers(call)) {
          if (!writes || buffer.buffer.type === "i32") continue;
          const value = (await this.device.read(this.slot(buffer), elements, "f32")).find((x) => !Number.isFinite(x));
          if (value !== undefined) return { op, scope, value, call: showCall(this.anatomy, index) };
        }
      }
      return undefined;
    });
  }

  /** Milliseconds every step took in one run.
   *  @units ms, in the order of `steps` */
  async profile(inputs: RunInputs<I>): Promise<readonly number[]> {
    const given = this.turns.waits() ? this.feed.copy(inputs) : inputs;
    return this.turns.take(() => {
      this.start(given);
      this.touch();
      return this.executable.profile();
    });
  }

  /** Gives the program's memory back, as soon as the run under way is done; parameters stay on the device. Again it does nothing. */
  dispose(): void {
    this.turns.dispose(() => {
      this.executable.dispose();
      for (const storage of this.owned.splice(0)) this.device.release(storage);
    });
  }

  private replay(from?: number, to?: number): void {
    for (let i = 0; i < this.packs.length; i++) {
      const { lost } = this.packs[i];
      if (lost) throw new DeviceError(`run: parameter ${showShape(lost.shape)} was released and is used again: compile again.`);
    }
    this.touch();
    this.executable.run(from, to);
  }

  /** Notes that the parameters are no longer what they started from. */
  private touch(): void {
    for (let i = 0; i < this.changed.length; i++) this.changed[i].changed = true;
  }

  /** Writes the inputs and the run counter. */
  private start(inputs: RunInputs<I>): void {
    if (!Number.isSafeInteger(this.runs) || this.runs < 0)
      throw new ConfigError(`run: \`runs\` must be a whole number of at least 0, got ${show(this.runs)}.`);
    this.feed.write(this.device, inputs);
    this.device.write(this.counter, this.count.fill(this.runs), "i32");
    this.runs++;
  }

  private slot({ buffer, offset }: View): Slot {
    const base = this.slots.get(buffer);
    if (!base) throw new DeviceError(`compile: ${buffer} has no place, which is a fault of the engine. Please report it.`);
    return { storage: base.storage, offset: base.offset + offset };
  }

  private writeConstants(): void {
    for (const { constant, ...view } of this.lowered.views.constants.contents)
      this.device.write(this.slot(view), hostData(constant), view.buffer.type);
  }

  private own(elements: number, what: string, purpose?: "scratch"): Storage {
    const storage = this.device.allocate(elements, what, purpose);
    this.owned.push(storage);
    return storage;
  }

  private ownSlot({ elements }: Buffer, what: string): Slot {
    return { storage: this.own(elements, what), offset: 0 };
  }
}

/** Keeps an output that the device must be waited for. */
async function receive<O extends string>(
  result: Record<O, Value>,
  { name, tensor }: Binding<O>,
  data: Promise<HostArray>,
): Promise<void> {
  result[name] = new Value(tensor.shape, await data);
}

/** Computes one tensor on a device; inputs are not allowed. The comfortable way in a script or a test.
 *  @shape x [...] -> its value */
export async function read(device: Device, x: Tensor): Promise<Value> {
  const program = compile(device, { outputs: { x } });
  try {
    return (await program.run({})).x;
  } finally {
    program.dispose();
  }
}
