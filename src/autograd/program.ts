import { type CallCost, callBuffers, callCost, mapBuffers } from "../backend/calls.js";
import type { Device, Executable, Slot, Storage } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import type { Target } from "../backend/target.js";
import { ConfigError, ShapeError } from "../base/errors.js";
import { type Shape, showShape } from "../base/shape.js";
import { type Lowered, lifetimes, lower, type Update } from "./lower.js";
import { parameterStorage } from "./parameters.js";
import { planArena } from "./plan.js";
import { rewrite } from "./rewrite.js";
import { hostData, isConstant, isInput, isParameter, type Tensor } from "./tensor.js";

/** What a program is made of. Names of inputs and outputs are those `run` uses. */
export interface ProgramSpec<I extends string, O extends string> {
  readonly inputs?: Readonly<Record<I, Tensor>>;
  readonly outputs?: Readonly<Record<O, Tensor>>;
  /** Parameters and the values they take at the end of a run. An output that is a parameter, or a view of one, is read after them. */
  readonly updates?: readonly Update[];
}

/** Numbers that came back from a run. */
export class Value {
  constructor(
    readonly shape: Shape,
    readonly data: HostArray,
  ) {}

  /** The number of a one-element value.
   *  @throws ShapeError when there are more */
  item(): number {
    if (this.data.length !== 1)
      throw new ShapeError(`item: the value ${showShape(this.shape)} holds ${this.data.length} numbers, not one.`);
    return this.data[0] as number;
  }
}

/** The first value of a run that is not finite, and what made it. */
export interface NonFinite {
  readonly op: string;
  readonly scope: string;
  readonly value: number;
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

/** An input or output by name, and where it lies; an input that nothing reads lies nowhere. */
interface Binding<N extends string> {
  readonly name: N;
  readonly tensor: Tensor;
  readonly size: number;
  readonly slot?: Slot;
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

/** A compiled graph: replayed with new inputs, it allocates nothing. */
export class Program<I extends string = string, O extends string = string> {
  readonly bytes: ProgramBytes;
  readonly steps: readonly ProgramStep[];
  /** The number of the next run: random leaves depend on it. Set it to resume a sequence. */
  runs = 0;
  private readonly inputs: readonly Binding<I>[];
  private readonly outputs: readonly Required<Binding<O>>[];
  private readonly counter: Slot;
  // Kept from run to run, as the bindings are, so that a step leaves next to nothing to the garbage collector.
  private readonly scalar = new Float64Array(1);
  private readonly count = new Int32Array(1);
  private readonly owned: Storage[] = [];
  private readonly slots = new Map<symbol, Slot>();
  private readonly results: readonly Tensor[];
  private readonly updates: readonly Update[];
  private readonly lowered: Lowered;
  private readonly executable: Executable;

  constructor(
    private readonly device: Device,
    { inputs = {} as Record<I, Tensor>, outputs = {} as Record<O, Tensor>, updates = [] }: ProgramSpec<I, O>,
  ) {
    checkUpdates(updates);
    const { target } = device;
    const results = Object.values<Tensor>(outputs);
    const standsFor = rewrite([...results, ...updates.map(([, value]) => value)], target);
    this.results = results.map(standsFor);
    this.updates = updates.map(([parameter, value]) => [parameter, standsFor(value)]);
    this.lowered = lower(this.results, this.updates, target);
    checkInputs(inputs, this.lowered.leaves.keys());
    const { values, plan } = arrange(this.lowered, this.results, target);
    const leaves = [...this.lowered.leaves];
    const count = (kind: (t: Tensor) => boolean) =>
      leaves.reduce((sum, [t]) => sum + (kind(t) ? t.size : 0), 0) * device.bytesPerElement;
    const arena = plan.elements * device.bytesPerElement;
    const [constants, inputBytes, parameters] = [count(isConstant), count(isInput), count(isParameter)];
    this.bytes = { arena, constants, inputs: inputBytes, parameters, total: arena + constants + inputBytes + parameters };

    try {
      if (values.length > 0) {
        const storage = this.own(plan.elements, "the arena of a program", "scratch");
        values.forEach((value, i) => this.slots.set(value, { storage, offset: plan.offsets[i] as number }));
      }
      for (const [tensor, value] of leaves) this.slots.set(value, { storage: this.leafStorage(tensor), offset: 0 });
      this.counter = { storage: this.own(1, "the run counter"), offset: 0 };
      this.slots.set(this.lowered.runCounter, this.counter);
      this.executable = device.load(this.lowered.calls.map(({ call }) => mapBuffers(call, (view) => this.slot(view))));
    } catch (error) {
      for (const storage of this.owned) device.release(storage);
      throw error;
    }
    this.inputs = (Object.entries(inputs) as [I, Tensor][]).map(([name, tensor]) => {
      const value = this.lowered.leaves.get(tensor);
      return { name, tensor, size: tensor.size, ...(value ? { slot: this.slots.get(value) as Slot } : {}) };
    });
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
    const { target } = this.device;
    const lowered = fused ? this.lowered : lower(this.results, this.updates, target, true);
    const { plan } = arrange(lowered, this.results, target);
    const traffic = lowered.calls.reduce((sum, { call }) => sum + callCost(call).bytes, 0);
    return { calls: lowered.calls.length, traffic, arena: plan.elements * this.device.bytesPerElement };
  }

  /** Replays the program and reads its outputs.
   *  @shape every input as it was declared -> every output
   *  @throws ShapeError when an input is missing or has another count of numbers */
  async run(inputs: Readonly<Record<I, ArrayLike<number> | number>>): Promise<Record<O, Value>> {
    this.start(inputs);
    this.executable.run();
    const result = {} as Record<O, Value>;
    for (let i = 0; i < this.outputs.length; i++) {
      const { name, tensor, size, slot } = this.outputs[i] as Required<Binding<O>>;
      const data = this.device.read(slot, size, tensor.dtype);
      result[name] = new Value(tensor.shape, data instanceof Promise ? await data : data);
    }
    return result;
  }

  /** Groups of calls that may run at once. */
  get intervals(): number {
    return this.executable.intervals;
  }

  /** Replays the program with the inputs and the counter of the last run, and reads nothing: what benchmarks time. */
  repeat(): void {
    this.executable.run();
  }

  /** Runs call by call and returns the first that wrote a number that is not finite. Updates are applied as in `run`. */
  async findNonFinite(inputs: Readonly<Record<I, ArrayLike<number> | number>>): Promise<NonFinite | undefined> {
    this.start(inputs);
    for (const [index, { call, op, scope }] of this.lowered.calls.entries()) {
      this.executable.run(index, index + 1);
      for (const { buffer, elements, writes } of callBuffers(call)) {
        if (!writes) continue;
        const value = (await this.device.read(this.slot(buffer), elements, "f32")).find((x) => !Number.isFinite(x));
        if (value !== undefined) return { op, scope, value };
      }
    }
    return undefined;
  }

  /** Milliseconds every step took in one run.
   *  @units ms, in the order of `steps` */
  async profile(inputs: Readonly<Record<I, ArrayLike<number> | number>>): Promise<readonly number[]> {
    this.start(inputs);
    return this.executable.profile();
  }

  /** Gives the program's memory back; parameters stay on the device. */
  dispose(): void {
    this.executable.dispose();
    for (const storage of this.owned.splice(0)) this.device.release(storage);
  }

  private start(inputs: Readonly<Record<I, ArrayLike<number> | number>>): void {
    for (let i = 0; i < this.inputs.length; i++) {
      const { name, tensor, size, slot } = this.inputs[i] as Binding<I>;
      const given = inputs[name];
      if (given === undefined) throw new ShapeError(`run: input "${name}" ${showShape(tensor.shape)} is missing.`);
      const data = typeof given === "number" ? this.scalar.fill(given) : (given as ArrayLike<number>);
      if (data.length !== size) {
        throw new ShapeError(`run: input "${name}" ${showShape(tensor.shape)} needs ${size} numbers, got ${data.length}.`);
      }
      if (slot) this.device.write(slot, data, tensor.dtype);
    }
    this.device.write(this.counter, this.count.fill(this.runs), "i32");
    this.runs++;
  }

  private slot({ value, offset }: { value: symbol; offset: number }): Slot {
    const base = this.slots.get(value) as Slot;
    return { storage: base.storage, offset: base.offset + offset };
  }

  private own(elements: number, what: string, purpose?: "scratch"): Storage {
    const storage = this.device.allocate(elements, what, purpose);
    this.owned.push(storage);
    return storage;
  }

  private leafStorage(tensor: Tensor): Storage {
    if (isParameter(tensor)) return parameterStorage(this.device, tensor);
    const storage = this.own(tensor.size, isConstant(tensor) ? "a constant" : "an input");
    if (isConstant(tensor)) this.device.write({ storage, offset: 0 }, hostData(tensor), tensor.dtype);
    return storage;
  }
}

function checkInputs(inputs: Readonly<Record<string, Tensor>>, leaves: Iterable<Tensor>): void {
  const named = new Set(Object.values(inputs));
  for (const [name, tensor] of Object.entries(inputs)) {
    if (!isInput(tensor)) throw new ConfigError(`compile: "${name}" is not an input but ${tensor}. Make it with input().`);
  }
  for (const tensor of leaves) {
    if (isInput(tensor) && !named.has(tensor)) {
      throw new ConfigError(
        `compile: the graph reads an input ${showShape(tensor.shape)} that is not named. Add it to \`inputs\`.`,
      );
    }
  }
}

function checkUpdates(updates: readonly Update[]): void {
  const seen = new Set<Tensor>();
  for (const [parameter, value] of updates) {
    if (!isParameter(parameter)) throw new ConfigError(`compile: only parameters can be updated, got ${parameter}.`);
    if (seen.has(parameter)) throw new ConfigError(`compile: parameter ${showShape(parameter.shape)} is updated twice.`);
    seen.add(parameter);
    if (value.size !== parameter.size) {
      throw new ShapeError(
        `compile: the update ${showShape(value.shape)} does not fit its parameter ${showShape(parameter.shape)}.`,
      );
    }
  }
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

/** Places the arena's values by when they are used. */
function arrange(lowered: Lowered, outputs: readonly Tensor[], target: Target) {
  const lives = lifetimes(lowered, outputs, target);
  const values = [...lives.keys()];
  const plan = planArena(
    [...lives].map(([value, life]) => ({ elements: lowered.arena.get(value) as number, ...life })),
    target.alignmentBytes / 4,
  );
  return { values, plan };
}
