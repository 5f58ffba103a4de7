/** Objects that own memory: disposed of twice, used afterwards, or while a call is under way. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { add, linear, mul, square } from "../../src/autograd/ops/index.js";
import { constant, input, parameter } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import type { HostArray } from "../../src/backend/host.js";
import { ReferenceDevice, reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { DeviceError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { Linear, Seed } from "../../src/nn/index.js";
import { gradcheck } from "../../src/program/gradcheck.js";
import { readParameter, releaseParameters, writeParameter } from "../../src/program/parameters.js";
import { compile, read } from "../../src/program/program.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { lossByTimestep } from "../../src/ptdit/evaluate.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { Generator } from "../../src/ptdit/generate.js";
import { Pipeline } from "../../src/ptdit/pipeline.js";
import { presets } from "../../src/ptdit/presets.js";
import { Sampler } from "../../src/ptdit/sampler.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";
import { buildWorkload } from "../../src/ptdit/workload.js";

const captions = ["red apple", "green tree", "blue car"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const tokenizer = Tokenizer.fromCaptions(captions);
const config = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });
const training = { ...defaultTraining, batch: 2, warmup: 2 };

const open: Device[] = [];
afterEach(() => {
  for (const device of open.splice(0)) device.close();
});
const kinds = ["wasm", "reference"] as const;
async function deviceOf(kind: (typeof kinds)[number]): Promise<Device> {
  const device = kind === "wasm" ? await wasm({ threads: 1 }) : reference();
  open.push(device);
  return device;
}

function trainerOn(device: Device): Trainer {
  const trainer = new Trainer(device, data, tokenizer, { model: config, flow: flowConfig(), training });
  trainer.plan(10);
  return trainer;
}
/** A text model with weights that are not zero. */
function lively(): Pipeline {
  const model = new Pipeline({ model: config, captioner: tokenizer });
  const state = [...model.parameters()].map(([name, { shape, size }], i) => {
    return [name, { shape, data: normalNumbers(size, 1, i).map((x) => 0.2 * x) }] as const;
  });
  model.load(new Map(state));
  return model;
}
function samplerOn(device: Device) {
  const x = input([1, 4]);
  return new Sampler(device, (z) => add(z, x), { x }, { shape: [1, 4], flow: flowConfig(), guided: false });
}
const conditions = { x: [1, 2, 3, 4] };

describe.each(kinds)("on %s", (kind) => {
  it("a program disposed of twice leaves the next one's memory alone", async () => {
    const device = await deviceOf(kind);
    const make = (factor: number) => {
      const x = input([64]);
      return compile(device, { inputs: { x }, outputs: { y: mul(square(x), factor) } });
    };
    const first = make(1);
    first.dispose();
    const second = make(2); // takes the memory that the first gave back
    first.dispose();
    const third = make(3); // would be given the second's commands, too
    const x = new Float32Array(64).fill(3);
    expect((await second.run({ x })).y.data[5]).toBe(18);
    expect((await third.run({ x })).y.data[5]).toBe(27);
    expect((await second.run({ x })).y.data[5]).toBe(18);
  });

  it("a program that is disposed of refuses every call, and says what to do", async () => {
    const device = await deviceOf(kind);
    const x = input([2]);
    const program = compile(device, { inputs: { x }, outputs: { y: square(x) } });
    await program.run({ x: [1, 2] });
    program.dispose();
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(DeviceError);
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(
      "program: it was disposed of, and its memory is given back. Compile it again.",
    );
    await expect(program.findNonFinite({ x: [1, 2] })).rejects.toThrow(DeviceError);
    expect(() => program.repeat()).toThrow(DeviceError);
    await expect(program.profile({ x: [1, 2] })).rejects.toThrow(DeviceError);
  });

  it("a closed device refuses its programs, new ones and reading; closing and disposing again do nothing", async () => {
    const device = await deviceOf(kind);
    const [x, w] = [input([2]), parameter([2], [1, 2])];
    const program = compile(device, { inputs: { x }, outputs: { y: add(x, w) } });
    await program.run({ x: [1, 2] });
    device.close();
    device.close();
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(`${kind}: the device is closed. Start a new one.`);
    expect(() => program.repeat()).toThrow(DeviceError);
    expect(() => compile(device, { inputs: { x }, outputs: { y: square(x) } })).toThrow(DeviceError);
    await expect(read(device, constant([1]))).rejects.toThrow(DeviceError);
    await expect(readParameter(device, w)).rejects.toThrow(DeviceError);
    expect(() => writeParameter(device, w, [1, 2])).toThrow(DeviceError);
    program.dispose();
    releaseParameters(device, [w]);
    program.dispose();
  });

  it("a parameter that is released under a program ends in an error, not in another's memory", async () => {
    const device = await deviceOf(kind);
    const [x, w] = [input([2]), parameter([2], [1, 2])];
    const program = compile(device, { inputs: { x }, outputs: { y: add(x, w) } });
    releaseParameters(device, [w]);
    releaseParameters(device, [w]);
    const other = parameter([2], [70, 80]);
    expect([...(await readParameter(device, other))]).toEqual([70, 80]);
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(/parameter \[2\] was released and is used again.*compile again/);
    const again = compile(device, { inputs: { x }, outputs: { y: add(x, w) } });
    expect([...(await again.run({ x: [1, 2] })).y.data]).toEqual([2, 4]);
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(DeviceError);
    program.dispose();
    expect([...(await again.run({ x: [1, 2] })).y.data]).toEqual([2, 4]);
  });

  it("trained numbers that were let go of are not silently the first ones again", async () => {
    const device = await deviceOf(kind);
    const w = parameter([2], [1, 2]);
    const step = compile(device, { updates: [[w, mul(w, 2)]] });
    await step.run({});
    step.dispose();
    releaseParameters(device, [w]);
    await expect(readParameter(device, w)).rejects.toThrow(/had changed on the device and were let go of/);
    expect(() => compile(device, { outputs: { w } })).toThrow(DeviceError);
    writeParameter(device, w, [5, 6]);
    expect([...(await read(device, w)).data]).toEqual([5, 6]);
    // Numbers that never changed, or were set again, may go and come back.
    const layer = new Linear(2, 1, new Seed(0));
    layer.load(
      new Map([
        ["weight", { shape: [1, 2], data: Float32Array.of(3, 4) }],
        ["bias", { shape: [1], data: Float32Array.of(1) }],
      ]),
      device,
    );
    for (let i = 0; i < 2; i++) {
      expect((await read(device, layer.forward(constant([[1, 1]])))).item()).toBe(8);
      releaseParameters(device, layer.parameters().values());
    }
  });

  it("a program that does not fit leaves no parameter behind", async () => {
    const device = await deviceOf(kind);
    const [x, w] = [input([1, 2 ** 33]), parameter([4], [1, 2, 3, 4])];
    expect(() => compile(device, { inputs: { x }, outputs: { y: square(x), v: square(w) } })).toThrow(DeviceError);
    const [y, z] = [input([4]), parameter([4])];
    const program = compile(device, { inputs: { y }, updates: [[z, mul(y, w)]] });
    await program.run({ y: [1, 1, 1, 1] });
    expect([...(await readParameter(device, z))]).toEqual([1, 2, 3, 4]);
  });

  it("a sampler", async () => {
    const device = await deviceOf(kind);
    const sampler = samplerOn(device);
    const drawn = await sampler.sample(conditions, { steps: 2, seed: 1 });
    const [under, waiting] = [
      sampler.sample(conditions, { steps: 2, seed: 1 }),
      sampler.sample(conditions, { steps: 2, seed: 2 }),
    ];
    sampler.dispose();
    sampler.dispose();
    expect(await under).toEqual(drawn); // the one under way is done in peace
    await expect(waiting).rejects.toThrow("was disposed of while this call waited for its turn");
    await expect(sampler.sample(conditions, { steps: 2 })).rejects.toThrow("sampler: it was disposed of");
    await expect(sampler.prepare(conditions)).rejects.toThrow(DeviceError);
    const next = samplerOn(device);
    sampler.dispose();
    expect(await next.sample(conditions, { steps: 2, seed: 1 })).toEqual(drawn);
  });

  it("a generator", async () => {
    const device = await deviceOf(kind);
    const model = lively();
    const generator = new Generator(device, model, flowConfig(), data.size);
    const drawn = await generator.pictures(["red apple"], { steps: 2 });
    const [under, waiting] = [generator.pictures(["red apple"], { steps: 2 }), generator.pictures(["blue car"], { steps: 2 })];
    generator.dispose();
    generator.dispose();
    expect(await under).toEqual(drawn);
    await expect(waiting).rejects.toThrow(DeviceError);
    await expect(generator.pictures(["red apple"])).rejects.toThrow(
      "generator: it was disposed of, and its memory is given back. Make a new one.",
    );
  });

  it("a trainer, and what is drawn from its weights afterwards", async () => {
    const device = await deviceOf(kind);
    const trainer = trainerOn(device);
    const generator = new Generator(device, trainer.average, flowConfig(), data.size);
    await generator.pictures(["red apple"], { steps: 1 });
    const [under, waiting] = [trainer.next(), trainer.state()];
    trainer.dispose();
    trainer.dispose();
    expect((await under).step).toBe(1);
    await expect(waiting).rejects.toThrow(DeviceError);
    await expect(trainer.next()).rejects.toThrow("trainer: it was disposed of");
    expect(() => trainer.restore(new Map(), 0)).toThrow(DeviceError);
    await expect(generator.pictures(["red apple"], { steps: 1 })).rejects.toThrow(DeviceError);
    const late = new Generator(device, trainer.average, flowConfig(), data.size);
    await expect(late.pictures(["red apple"], { steps: 1 })).rejects.toThrow(/let go of/);
    await expect(trainer.average.state(device)).rejects.toThrow(/let go of/);
  });

  it("a workload", async () => {
    const device = await deviceOf(kind);
    const preset = { ...presets.nano, side: 8, batch: 1, config };
    for (const mode of ["forward", "train", "sample"] as const) {
      const workload = buildWorkload(device, preset, { mode });
      await workload.run();
      workload.dispose();
      workload.dispose();
      await expect(workload.run()).rejects.toThrow(DeviceError);
    }
  });

  it("what is disposed of, or did not fit, leaves no memory taken", async () => {
    const device = await deviceOf(kind);
    const taken = new Set<object>();
    let loads = Number.POSITIVE_INFINITY;
    const watched: Device = Object.create(device, {
      allocate: {
        value: (...own: Parameters<Device["allocate"]>) => {
          const storage = device.allocate(...own);
          taken.add(storage);
          return storage;
        },
      },
      release: {
        value: (storage: Parameters<Device["release"]>[0]) => {
          taken.delete(storage);
          device.release(storage);
        },
      },
      load: {
        value: (...own: Parameters<Device["load"]>) => {
          if (loads-- <= 0) throw new DeviceError("full");
          return device.load(...own);
        },
      },
    });
    const preset = { ...presets.nano, side: 8, batch: 1, config };
    for (const mode of ["forward", "train", "sample"] as const) {
      const workload = buildWorkload(watched, preset, { mode });
      await workload.run();
      workload.dispose();
      expect(taken.size, mode).toBe(0);
      for (const room of mode === "sample" ? [0, 1] : [0]) {
        loads = room;
        expect(() => buildWorkload(watched, preset, { mode })).toThrow("full");
        expect(taken.size, `${mode} with room for ${room}`).toBe(0);
        loads = Number.POSITIVE_INFINITY;
      }
    }
    const trainer = trainerOn(watched);
    const generator = new Generator(watched, trainer.average, flowConfig(), data.size);
    await trainer.next();
    const held = taken.size;
    for (const room of [0, 1, 2, 3]) {
      loads = room;
      await expect(generator.pictures(["red apple"], { steps: 2, method: "heun" })).rejects.toThrow("full");
      expect(taken.size, `a sampler with room for ${room}`).toBe(held);
    }
    loads = Number.POSITIVE_INFINITY;
    await generator.pictures(["red apple"], { steps: 2, method: "heun" });
    generator.dispose();
    expect(taken.size).toBe(held);
    trainer.dispose();
    expect(taken.size).toBe(0);
  });

  it("memory released twice, or used afterwards, by hand", async () => {
    const device = await deviceOf(kind);
    const first = device.allocate(64, "a buffer");
    const calls = device.load([{ kernel: "fill", args: { y: { storage: first, offset: 0 }, n: 64, value: 7 } }]);
    calls.run();
    device.release(first);
    const second = device.allocate(64, "another buffer");
    device.release(first);
    const third = device.allocate(64, "a third buffer");
    for (const [storage, value] of [
      [second, 1],
      [third, 2],
    ] as const)
      device.write({ storage, offset: 0 }, new Float32Array(64).fill(value), "f32");
    expect(() => calls.run()).toThrow(/a buffer was released/);
    expect(() => device.write({ storage: first, offset: 0 }, [1], "f32")).toThrow(DeviceError);
    expect(() => device.read({ storage: first, offset: 0 }, 1, "f32")).toThrow(DeviceError);
    calls.dispose();
    calls.dispose();
    expect(() => calls.run()).toThrow(DeviceError);
    expect([...(await device.read({ storage: second, offset: 0 }, 64, "f32"))].every((x) => x === 1)).toBe(true);
    expect([...(await device.read({ storage: third, offset: 0 }, 64, "f32"))].every((x) => x === 2)).toBe(true);
  });
});

/** A device that must be waited for, as a graphics card's is: reading takes a while, and sees the memory of its end. */
class SlowDevice extends ReferenceDevice {
  reads = 0;
  override read(...[slot, elements, type]: Parameters<ReferenceDevice["read"]>): HostArray {
    this.reads++;
    const later = new Promise((resolve) => setTimeout(resolve, 5)).then(() => super.read(slot, elements, type));
    return later as unknown as HostArray;
  }
}

describe("calls that come while another is under way", () => {
  it("of a program wait for their turn, with the numbers they came with", async () => {
    const device = new SlowDevice();
    const [x, n] = [input([4]), input([], "i32")];
    const program = compile(device, { inputs: { x, n }, outputs: { y: mul(x, 2), n, z: square(x) } });
    const own = new Float32Array(4);
    const results = [1, 2, 3].map((value) => {
      const result = program.run({ x: own.fill(value), n: value });
      own.fill(-1);
      return result;
    });
    const found = program.findNonFinite({ x: [1, Number.NaN, 1, 1], n: 0 });
    const after = program.run({ x: [[5, 5, 5, 5]].flat(), n: 5 });
    for (const [i, result] of results.entries()) {
      const { y, n: count, z } = await result;
      expect([...y.data, ...count.data, ...z.data]).toEqual([
        ...Array(4).fill(2 * (i + 1)),
        i + 1,
        ...Array(4).fill((i + 1) ** 2),
      ]);
    }
    expect(await found).toMatchObject({ op: expect.any(String), value: Number.NaN });
    expect([...(await after).y.data]).toEqual([10, 10, 10, 10]);
    expect(program.runs).toBe(5);
  });

  it("that cannot wait are refused", async () => {
    const device = new SlowDevice();
    const x = input([1]);
    const program = compile(device, { inputs: { x }, outputs: { y: square(x) } });
    const under = program.run({ x: [3] });
    expect(() => program.repeat()).toThrow("another call of this program is under way. Await it first.");
    const waiting = program.profile({ x: [1] });
    expect((await under).y.item()).toBe(9);
    expect(await waiting).toHaveLength(1);
    program.repeat();
  });

  it("a failed one lets the next in", async () => {
    const device = new SlowDevice();
    const x = input([2]);
    const program = compile(device, { inputs: { x }, outputs: { y: square(x) } });
    const [first, bad, last] = [program.run({ x: [1, 2] }), program.run({ x: [1] }), program.run({ x: [3, 4] })];
    await expect(bad).rejects.toThrow("needs 2 numbers, got 1");
    expect([...(await first).y.data, ...(await last).y.data]).toEqual([1, 4, 9, 16]);
  });

  it("a program disposed of meanwhile ends the call under way in peace, refuses the rest, and frees then", async () => {
    const device = new SlowDevice();
    const x = input([2]);
    const program = compile(device, { inputs: { x }, outputs: { y: square(x) } });
    const [first, second] = [program.run({ x: [1, 2] }), program.run({ x: [3, 4] })];
    program.dispose();
    await expect(second).rejects.toThrow(DeviceError);
    expect([...(await first).y.data]).toEqual([1, 4]);
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(DeviceError);
  });

  it("a search for the first number that is not finite keeps runs away from what it looks at", async () => {
    const device = await deviceOf("wasm");
    const x = input([3]);
    // Two kernels: what the second reads lies in memory that a run in between would overwrite.
    const y = linear(
      square(
        linear(
          x,
          constant([
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
          ]),
        ),
      ),
      constant([[1, 1, 1]]),
    );
    const program = compile(device, { inputs: { x }, outputs: { y } });
    const [found, run] = [program.findNonFinite({ x: [1e30, 1, 1] }), program.run({ x: [1, 2, 3] })];
    expect(await found).toMatchObject({ value: Infinity });
    expect((await run).y.item()).toBe(14);
  });

  it("of a generator each give their own picture", async () => {
    for (const kind of kinds) {
      const device = await deviceOf(kind);
      const generator = new Generator(device, lively(), flowConfig(), data.size);
      const draw = (prompt: string, seed: number, method: "euler" | "heun" = "euler") =>
        generator.pictures([prompt], { steps: 3, seed, method });
      const requests = [
        ["red apple", 1],
        ["blue car", 2],
        ["green tree", 1],
        ["red apple", 3],
      ] as const;
      const alone = [];
      for (const [prompt, seed] of requests) alone.push(await draw(prompt, seed));
      expect(await Promise.all(requests.map(([prompt, seed]) => draw(prompt, seed)))).toEqual(alone);
      const mixed = await Promise.all([
        draw("red apple", 1),
        draw("red apple", 1, "heun"),
        generator.pictures(["blue car"], { steps: 2 }),
      ]);
      expect(mixed[0]).toEqual(alone[0]);
      expect(mixed[1]).not.toEqual(alone[0]);
      generator.dispose();
    }
  });

  it("of a model that draws at random give what they give alone, however often", async () => {
    const model = new Pipeline({ model: { ...config, window: [1, 2, 2], proxyMode: "random" }, captioner: tokenizer });
    const state = [...model.parameters()].map(([name, { shape, size }], i) => {
      return [name, { shape, data: normalNumbers(size, 1, i).map((x) => 0.2 * x) }] as const;
    });
    model.load(new Map(state));
    const generator = new Generator(await deviceOf("wasm"), model, flowConfig(), data.size);
    const draw = (seed: number) => generator.pictures(["red apple"], { steps: 3, seed, method: "heun" });
    const [first, second] = [await draw(1), await draw(2)];
    expect(await Promise.all([draw(2), draw(1)])).toEqual([second, first]);
  });

  it("of a sampler each draw their own, whatever becomes of the arrays they were given", async () => {
    for (const device of [await deviceOf("wasm"), new SlowDevice()]) {
      const sampler = samplerOn(device);
      const x = Float32Array.of(1, 2, 3, 4);
      const noise = new Float32Array(4).fill(0.5);
      const alone = await sampler.sample({ x }, { steps: 3, noise });
      const seeded = await sampler.sample({ x: [4, 3, 2, 1] }, { steps: 2, seed: 9 });
      const [a, b] = [sampler.sample({ x }, { steps: 3, noise }), sampler.sample({ x: [4, 3, 2, 1] }, { steps: 2, seed: 9 })];
      const c = sampler.sample({ x }, { steps: 3, noise });
      const between = sampler.prepare({ x: [0, 0, 0, 0] });
      x.fill(0);
      noise.fill(0);
      expect([await a, await b, await c]).toEqual([alone, seeded, alone]);
      await between;
    }
  });

  it("latents are those of their own step, or refused", async () => {
    const sampler = samplerOn(await deviceOf("wasm"));
    const kept: (() => Promise<HostArray>)[] = [];
    const seen: HostArray[] = [];
    const onStep = async (_step: number, _steps: number, latents: () => Promise<HostArray>) => {
      kept.push(latents);
      seen.push(await latents());
    };
    const drawn = await sampler.sample(conditions, { steps: 2, onStep });
    expect(seen[1]).toEqual(drawn);
    expect(seen[0]).not.toEqual(drawn);
    await expect(kept[0]()).rejects.toThrow("the latents of step 1 are gone");
  });

  it("an error in onStep lets the next call in", async () => {
    const sampler = samplerOn(await deviceOf("wasm"));
    const stop = () => {
      throw new Error("enough");
    };
    const [first, second] = [
      sampler.sample(conditions, { steps: 2, onStep: stop }),
      sampler.sample(conditions, { steps: 2, seed: 1 }),
    ];
    await expect(first).rejects.toThrow("enough");
    expect((await second).every(Number.isFinite)).toBe(true);
  });

  it("of a trainer are steps of their own, and a state is of one step", async () => {
    const [together, alone] = [trainerOn(await deviceOf("wasm")), trainerOn(await deviceOf("wasm"))];
    const losses = [];
    const states = [];
    for (let i = 0; i < 3; i++) {
      losses.push((await alone.next()).loss);
      states.push(await alone.state());
    }
    const steps = [
      together.next(),
      together.state(),
      together.next(),
      together.state(),
      together.next(),
      together.state(),
    ] as const;
    expect(() => together.restore(new Map(), 0)).toThrow("another call of this trainer is under way");
    const done = await Promise.all(steps);
    expect([done[0], done[2], done[4]].map(({ loss }) => loss)).toEqual(losses);
    expect([done[0], done[2], done[4]].map(({ step }) => step)).toEqual([1, 2, 3]);
    expect([done[1], done[3], done[5]]).toEqual(states);
    expect(together.step).toBe(3);
  });

  it("of an evaluation, a verification or a gradient check each have programs of their own", async () => {
    const device = await deviceOf("wasm");
    const model = lively();
    const evaluate = () => lossByTimestep(device, model, flowConfig(), data);
    const file = readSafetensors(readFileSync(new URL("../fixtures/tables.safetensors", import.meta.url)), "tables");
    const verify = () => verifyFixture(file, device);
    const check = () => gradcheck((x) => square(x), [[3]]);
    const alone = [await evaluate(), await verify(), await check()];
    expect(await Promise.all([evaluate(), verify(), check()])).toEqual(alone);
    expect(await Promise.all([evaluate(), evaluate()])).toEqual([alone[0], alone[0]]);
  });

  it("a model's state is of one moment, whatever runs meanwhile", async () => {
    const device = await deviceOf("wasm");
    const layer = new Linear(2, 2, new Seed(0));
    const parameters = [...layer.parameters().values()];
    const step = compile(device, { updates: parameters.map((p) => [p, add(mul(p, 0), 1)] as const) });
    const before = layer.state(device);
    const run = step.run({});
    const values = [...(await before).values()].flatMap(({ data: own }) => [...own]);
    await run;
    expect(values.includes(1)).toBe(false);
    expect([...(await layer.state(device)).values()].flatMap(({ data: own }) => [...own])).toEqual(Array(6).fill(1));
  });
});
