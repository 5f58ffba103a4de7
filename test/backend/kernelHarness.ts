/** Runs single kernel calls on the WASM builds and on the reference, from the same numbers. */
import { instantiate } from "@assemblyscript/loader";
import { callBuffers, type KernelCall, mapBuffers, runReference } from "../../src/backend/calls.js";
import { compileBuild, type Vectors } from "../../src/backend/wasm/builds.js";
import { setEngineFlags } from "../../src/backend/wasm/choice.js";
import { encodeCall } from "../../src/backend/wasm/encode.js";

/** A tensor of a case: numbers that float32 (or int32) holds exactly. */
export interface Numbers {
  readonly type: "f32" | "i32";
  readonly data: Float64Array;
}

/** A call to check. */
export interface Case {
  readonly name: string;
  readonly call: KernelCall<Numbers>;
}

interface ProgramExports extends Record<string, unknown> {
  readonly scratchBytes: WebAssembly.Global;
  readonly crewBytes: WebAssembly.Global;
  setUp(index: number, count: number, scratch: number, crew: number, helpers: number, polls: number): void;
  takePart(index: number, count: number, again: boolean): void;
  execute(command: number): void;
}

/** What a call leaves in its buffers, in the order of `callBuffers`. */
export interface Outcome {
  readonly numbers: readonly Float64Array[];
  readonly bits: readonly Int32Array[];
  /** Whether the words before and after every buffer are as they were. */
  readonly intact: boolean;
}

const canary = 0x5ca1ab1e;
/** Words before and after each buffer. An odd number, so that buffers are not aligned to vectors. */
const margin = 17;
const mostThreads = 3;

/** Runs calls on one build of the kernels, its threads one after the other: no kernel waits for another thread. */
export class Bench {
  private constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly program: ProgramExports,
  ) {}

  static async create(level: Vectors): Promise<Bench> {
    setEngineFlags(level);
    const module = await compileBuild(level); // also where the engine gains nothing by it
    const memory = new WebAssembly.Memory({ initial: 1024, maximum: 65536, shared: true });
    const { exports } = await instantiate<ProgramExports>(module, { env: { memory } });
    return new Bench(memory, exports);
  }

  run(call: KernelCall<Numbers>, threads: number): Outcome {
    const scratchBytes = this.program.scratchBytes.value as number;
    const words = new Int32Array(this.memory.buffer);
    const crew = 65536 + mostThreads * scratchBytes;
    let next = (crew + mostThreads * (this.program.crewBytes.value as number)) >> 2;
    const places = new Map<Numbers, number>();
    const place = (buffer: Numbers): number => {
      const known = places.get(buffer);
      if (known !== undefined) return known;
      words.fill(canary, next, next + margin);
      next += margin;
      const at = next;
      this.view(buffer, at).set(buffer.data);
      next += buffer.data.length;
      words.fill(canary, next, next + margin);
      places.set(buffer, 4 * at);
      return 4 * at;
    };
    const command = encodeCall(mapBuffers(call, place));
    next = Math.ceil((next + margin) / 4) * 4;
    words.set(command, next);
    for (let thread = 0; thread < threads; thread++) {
      this.program.setUp(thread, threads, 65536 + thread * scratchBytes, crew, 0, 0);
      this.program.takePart(thread, threads, false);
      this.program.execute(4 * next);
    }
    const buffers = callBuffers(call).map(({ buffer }) => buffer);
    const at = (buffer: Numbers) => (places.get(buffer) ?? 0) >> 2;
    return {
      numbers: buffers.map((buffer) => Float64Array.from(this.view(buffer, at(buffer)))),
      bits: buffers.map((buffer) => words.slice(at(buffer), at(buffer) + buffer.data.length)),
      intact: [...places].every(([{ data }, address]) => {
        const [start, end] = [address >> 2, (address >> 2) + data.length];
        return [...words.slice(start - margin, start), ...words.slice(end, end + margin)].every((word) => word === canary);
      }),
    };
  }

  private view({ type, data }: Numbers, at: number): Float32Array | Int32Array {
    return type === "i32"
      ? new Int32Array(this.memory.buffer, 4 * at, data.length)
      : new Float32Array(this.memory.buffer, 4 * at, data.length);
  }
}

const references = new WeakMap<KernelCall<Numbers>, readonly Float64Array[]>();

/** What the reference leaves in the buffers of a call; computed once. */
export function expected(call: KernelCall<Numbers>): readonly Float64Array[] {
  const known = references.get(call) ?? computed(call);
  references.set(call, known);
  return known;
}

/** Whether two arrays hold the same bits: quicker by far than comparing them number by number. */
export function sameBits(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const [one, other] = [wordsOf(a), wordsOf(b)];
  return one.length === other.length && one.every((word, i) => word === other[i]);
}
const wordsOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Int32Array(buffer, byteOffset, byteLength / 4);

function computed(call: KernelCall<Numbers>): Float64Array[] {
  const copies = new Map<Numbers, Float64Array>();
  const copy = (buffer: Numbers): Float64Array => {
    const array = copies.get(buffer) ?? buffer.data.slice();
    copies.set(buffer, array);
    return array;
  };
  runReference(mapBuffers(call, copy));
  return callBuffers(call).map(({ buffer }) => copy(buffer));
}

/** How far numbers are from what they should be, where `relative·|b| + absolute` is allowed; above 1 is too far. */
export function deviation(a: ArrayLike<number>, b: ArrayLike<number>, relative: number, absolute: number): number {
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i], Math.abs(b[i]) < 3.4028235e38 ? b[i] : Math.fround(b[i])];
    if (Object.is(x, y) || x === y) continue;
    const distance = Math.abs(x - y) / (relative * Math.abs(y) + absolute);
    worst = Math.max(worst, Number.isFinite(distance) ? distance : Number.POSITIVE_INFINITY);
  }
  return worst;
}

let state = 1;
/** Begins the sequence anew, so that what is drawn next does not depend on what was drawn before. */
export function restart(): void {
  state = 1;
}

/** The next number in [-1, 1) of a fixed sequence. */
export function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return Math.fround(state / 2 ** 31);
}

/** A tensor of given or random numbers. */
export function f32(numbers: number | ArrayLike<number>): Numbers {
  const data =
    typeof numbers === "number" ? Float64Array.from({ length: numbers }, random) : Float64Array.from(numbers, Math.fround);
  return { type: "f32", data };
}

/** A tensor of integers: given, or random ones from `low` to `high`. */
export function i32(numbers: number | ArrayLike<number>, low = 0, high = 0): Numbers {
  const draw = () => low + Math.floor(((random() + 1) / 2) * (high - low + 1));
  const data = typeof numbers === "number" ? Float64Array.from({ length: numbers }, draw) : Float64Array.from(numbers);
  return { type: "i32", data };
}
