import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { fingerprintOf } from "../../src/data/fingerprint.js";
import { loadCheckpoint, loadRunDescription, saveCheckpoint } from "../../src/node/checkpoint.js";
import { loadDataset } from "../../src/node/load.js";
import { drawn, logOf, oldRun, trained } from "./inProcess.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-resume-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let runs = 0;
const fresh = () => oldRun(join(folder, `run ${runs++}`));
const resume = true as const;
const saved = (out: string) => readFileSync(join(out, "checkpoint.safetensors"));

describe("a run of an earlier version", () => {
  it("goes on as it did then", async () => {
    const out = fresh();
    const { finished } = await trained({ data: "emoji:64", out, resume });
    expect(finished).toBe(true);
    const [before, at] = [logOf(out).at(-1), await loadRunDescription(join(out, "checkpoint.safetensors"))];
    expect(at).toMatchObject({ step: 4, steps: 4, fingerprint: { names: expect.any(Array) } });
    // Steps 3 and 4 as the version that saved it took them.
    expect(before.loss).toBeCloseTo((1.2638874 + 1.2528048) / 2, 4);
  });

  it("knows its data itself", async () => {
    const out = fresh();
    expect(await trained({ out, resume })).toMatchObject({ finished: true });
    await expect(trained({ resume })).rejects.toThrow(/--resume needs --out/);
  });
});

describe("what is asked of a resumed run", () => {
  // @source https://github.com/pytorch/examples/issues/816
  it("takes effect from the next step, and is said and logged: the learning rate and its course", async () => {
    const out = fresh();
    const asked = { lr: 0.5, warmup: 2, hold: 0, floor: 0.25, clip: 0.1, weightDecay: 0.2, huber: 0.1 };
    const { out: said } = await trained({ out, resume, ...asked, steps: 6 });
    expect(said).toMatch(
      /resumed at step 2 of 6: lr 0\.001 -> 0\.5, warmup 100 -> 2, hold 0\.6 -> 0, floor 0\.05 -> 0\.25, weightDecay 0 -> 0\.2, clip 1 -> 0\.1, huber 0 -> 0\.1, steps 4 -> 6;/,
    );
    const [event, line] = logOf(out);
    expect(event).toMatchObject({
      step: 2,
      resumed: { lr: [0.001, 0.5], warmup: [100, 2], steps: [4, 6] },
      settings: { lr: 0.5, steps: 6, saveEvery: 200, sampleEvery: 250, device: "wasm", threads: 1 },
    });
    // The rate of the last of six steps, on half a cosine from step 2 to 6.
    expect(line).toMatchObject({ step: 6, lr: expect.closeTo(0.5 * (0.25 + 0.75 * 0.5 * (1 + Math.cos(0.75 * Math.PI))), 9) });
    const { run } = await loadCheckpoint(join(out, "checkpoint.safetensors"));
    expect(run.training).toMatchObject({ ...asked, batch: 2 });
    // And it stays when nothing is asked.
    await trained({ out, resume, steps: 7 });
    expect((await loadCheckpoint(join(out, "checkpoint.safetensors"))).run.training.lr).toBe(0.5);
  });

  it("takes effect in the very next step's weights", async () => {
    const [plain, faster, equal] = [fresh(), fresh(), fresh()];
    await trained({ out: plain, resume, stopAt: 3 });
    await trained({ out: faster, resume, stopAt: 3, lr: 2e-3 });
    await trained({
      out: equal,
      resume,
      stopAt: 3,
      lr: 1e-3,
      batch: 2,
      seed: 0,
      window: [1, 2, 2],
      patch: 4,
      size: 8,
      ratio: 4,
    });
    expect(saved(equal).equals(saved(plain))).toBe(true);
    const weights = async (out: string) => (await loadCheckpoint(join(out, "checkpoint.safetensors"))).state;
    const [start, one, two] = [await weights(fresh()), await weights(plain), await weights(faster)];
    const name = "weights.text.words.weight";
    const moved = (state: typeof start) =>
      Array.from(state.get(name)!.data).reduce((sum, x, i) => sum + Math.abs(x - start.get(name)!.data[i]), 0);
    expect(moved(two) / moved(one)).toBeCloseTo(2, 2);
  });

  it("takes effect too: how a step is computed", async () => {
    const out = fresh();
    const { out: said } = await trained({ out, resume, accumulate: 2, checkpointing: true });
    expect(said).toMatch(/accumulate 1 -> 2, checkpointing false -> true/);
    expect(logOf(out).at(-1).loss).toBeCloseTo((1.2638874 + 1.2528048) / 2, 3);
    const { out: again } = await trained({ out, resume, checkpointing: false, steps: 5 });
    expect(again).toMatch(/checkpointing true -> false, steps 4 -> 5/);
  });

  it("takes effect too: how often is saved and drawn", async () => {
    const out = fresh();
    const { out: said } = await trained({ out, resume, steps: 6, saveEvery: 1, sampleEvery: 3 });
    expect(said).toMatch(/saves every 1 steps, samples every 3/);
    expect(readFileSync(join(out, "samples", "step-000003.png")).length).toBeGreaterThan(0);
  });

  it("takes effect too: a table of the log, from then on", async () => {
    const out = fresh();
    await trained({ out, resume, stopAt: 3, log: "csv" });
    await trained({ out, resume });
    const rows = readFileSync(join(out, "log.csv"), "utf8").trim().split("\n");
    expect(rows.map((row) => row.split(",")[0])).toEqual(["step", "3", "4"]);
  });

  it.each<[string, Parameters<typeof trained>[0]]>([
    ["--batch 8 \\(it has 2\\)", { batch: 8 }],
    ["--seed 1 \\(it has 0\\)", { seed: 1 }],
    ["--size 16 \\(it has 8\\)", { size: 16 }],
    ["--patch 2 \\(it has 4\\)", { patch: 2 }],
    ["--window 1,1,1 \\(it has 1,2,2\\)", { window: [1, 1, 1] }],
    ["--mixing full \\(it has proxy\\)", { mixing: "full" }],
    ["--prediction v \\(it has flow\\)", { prediction: "v" }],
    ["--ratio 1 \\(it has 4\\)", { ratio: 1 }],
    ["--preset nano \\(it has another model\\)", { preset: "nano" }],
    ["--size 4 .*, --batch 3 .*\\. Leave these out", { batch: 3, size: 4 }],
  ])("is refused by name: %s", async (message, options) => {
    const out = fresh();
    const before = saved(out);
    const failure = trained({ out, resume, ...options });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(new RegExp(`cannot change ${message}`));
    expect(saved(out).equals(before)).toBe(true);
  });

  it("is refused when it lies behind the run, and said when it changes nothing", async () => {
    const out = fresh();
    await expect(trained({ out, resume, steps: 1 })).rejects.toThrow(/has taken 2 steps already, --steps says 1/);
    await expect(trained({ out, resume, stopAt: 1 })).rejects.toThrow(/has taken 2 steps already, --stop-at says 1/);
    expect((await trained({ out, resume, stopAt: 9 })).err).toMatch(/--stop-at 9 comes after the last step, 4/);
    const before = saved(out);
    const { finished, out: said } = await trained({ out, resume, lr: 0.1 });
    expect(finished).toBe(true);
    expect(said).toMatch(
      /done already: .* 4 steps\. Nothing was changed: lr\. To train on, give --steps, more than 4, or --minutes/,
    );
    expect(saved(out).equals(before)).toBe(true);
  });
});

describe("minutes", () => {
  it("of a run that was stopped early are gone on with, and may be given anew", async () => {
    const out = join(folder, "minutes");
    await trained({ data: "emoji:64", preset: "tiny", size: 8, batch: 1, out, minutes: 5, stopAt: 1 });
    const at = await loadRunDescription(join(out, "checkpoint.safetensors"));
    expect(at).toMatchObject({ step: 1, steps: 0 });
    expect(at.secondsLeft).toBeGreaterThan(200);
    expect(at.secondsLeft).toBeLessThan(300);
    const path = join(oldRun(out), "checkpoint.safetensors");
    const { run, state } = await loadCheckpoint(path);
    await saveCheckpoint(path, { run: { ...run, steps: 0, secondsLeft: 290 }, state });
    // What is left of five minutes is many more steps than the 41 that thirty of warm-up and one made.
    await trained({ out, resume, stopAt: 45 });
    const later = await loadRunDescription(join(out, "checkpoint.safetensors"));
    expect(later.steps).toBeGreaterThan(100);
    expect(later.secondsLeft).toBeUndefined();
    const from = performance.now();
    const { out: said, finished } = await trained({ out, resume, minutes: 0.02 });
    expect(said).toMatch(/resumed at step 45: steps \d+ -> as many as fit, minutes 0\.02/);
    expect(finished).toBe(true);
    expect((performance.now() - from) / 1000).toBeLessThan(30);
  });

  it("of an earlier version's run that did not keep them must be given", async () => {
    const out = fresh();
    const path = join(out, "checkpoint.safetensors");
    const { run, state } = await loadCheckpoint(path);
    await saveCheckpoint(path, { run: { ...run, steps: 0 }, state });
    await expect(trained({ out, resume })).rejects.toThrow(/Give --minutes or --steps/);
    expect(await trained({ out, resume, steps: 4 })).toMatchObject({ finished: true });
  });
});

describe("the data of a resumed run", () => {
  const pictures = join(folder, "some pics");
  /** A run at step 2 of 4 on four pictures. */
  const start = async (out: string) => {
    rmSync(pictures, { recursive: true, force: true });
    await drawn(pictures, { "red apple.png": 10, "green tree.png": 90, "blue car.png": 170, "old cat.png": 250 });
    const path = join(oldRun(out), "checkpoint.safetensors");
    const { run, state } = await loadCheckpoint(path);
    const fingerprint = fingerprintOf(await loadDataset(pictures, { size: run.size }));
    await saveCheckpoint(path, { run: { ...run, data: pictures, fingerprint }, state });
  };

  it("is found whatever way its folder is typed, and from another place", async () => {
    const out = join(folder, "found");
    await start(out);
    const home = process.cwd();
    try {
      process.chdir(folder);
      for (const data of ["some pics", "./some pics", "some pics/", pictures, join("found", "..", "some pics"), undefined]) {
        const { out: said } = await trained({ ...(data && { data }), out, resume, stopAt: 2 });
        expect(said, String(data)).toMatch(/resumed at step 2 of 4: nothing changed/);
      }
      process.chdir(tmpdir());
      expect((await trained({ out, resume, stopAt: 2 })).out).toMatch(/nothing changed/);
      expect((await trained({ data: relative(tmpdir(), pictures), out, resume, stopAt: 2 })).out).toMatch(/nothing changed/);
    } finally {
      process.chdir(home);
    }
  });

  it("may lie elsewhere now", async () => {
    const out = join(folder, "moved");
    await start(out);
    const place = join(folder, "new place");
    renameSync(pictures, place);
    await expect(trained({ out, resume })).rejects.toThrow(/some pics, which cannot be read \(ENOENT\)\. Give --data/);
    expect((await trained({ data: place, out, resume, stopAt: 2 })).out).toMatch(/data .*some pics -> .*new place/);
    symlinkSync(place, join(folder, "link"));
    expect((await trained({ data: join(folder, "link"), out, resume, stopAt: 2 })).out).toMatch(/data .*new place -> .*link/);
    rmSync(place, { recursive: true });
  });

  it("has not changed silently: what was added, removed, recaptioned and redrawn is said", async () => {
    const out = join(folder, "changed");
    await start(out);
    rmSync(join(pictures, "old cat.png"));
    await drawn(pictures, { "new dog.png": 200, "blue car.png": 30 });
    writeFileSync(join(pictures, "red apple.txt"), "a rotten apple");
    const failure = trained({ out, resume });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(
      /has changed since: 1 added \(new dog\.png\), 1 removed \(old cat\.png\), 1 recaptioned \(red apple\.png\), 1 redrawn \(blue car\.png\)\. Undo that, or add --accept-changed-data/,
    );
    const { err, out: said } = await trained({ out, resume, acceptChangedData: true, stopAt: 3 });
    expect(err).toMatch(/1 added \(new dog\.png\)/);
    expect(err).toMatch(/knows no new words; \d of the changed captions .*: .*new.*/);
    expect(said).toMatch(/pictures 1 added/);
    // It is kept as it is now.
    expect((await trained({ out, resume, stopAt: 3 })).out).toMatch(/nothing changed/);
    expect((await trained({ out, resume, stopAt: 3, acceptChangedData: true })).err).toMatch(/the data has not changed/);
    await expect(trained({ data: "emoji:64", out, resume })).rejects.toThrow(
      /some pics, from which emoji:64 differs: 64 added/,
    );
  });

  it("names the first of many, and counts the rest", async () => {
    const out = join(folder, "many");
    await start(out);
    await drawn(pictures, Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`z${i} thing.png`, i])));
    await expect(trained({ out, resume })).rejects.toThrow(
      /12 added \(z0 thing\.png, z1 thing\.png, z10 thing\.png, and 9 more\)/,
    );
  });

  it("of an earlier version's run may be typed in another way, but not be another", async () => {
    const out = join(folder, "typed");
    await start(out);
    const path = join(out, "checkpoint.safetensors");
    const { run, state } = await loadCheckpoint(path);
    const { fingerprint: _, ...old } = run;
    await saveCheckpoint(path, { run: { ...old, data: "some pics/" }, state });
    await expect(trained({ data: folder, out, resume })).rejects.toThrow(/was trained on some pics\/, not on/);
    expect((await trained({ data: pictures, out, resume, stopAt: 2 })).out).toMatch(/data some pics\/ -> .*some pics/);
    expect((await loadRunDescription(path)).fingerprint?.names).toHaveLength(4);
  });

  it("gives the default folder one name", async () => {
    const home = process.cwd();
    const place = join(folder, "default");
    mkdirSync(place);
    try {
      process.chdir(place);
      await drawn("pics", { "a.png": 1, "b.png": 2 });
      const options = { preset: "tiny", size: 8, batch: 1, steps: 3, stopAt: 1 } as const;
      const { folder: first } = await trained({ data: "./pics", ...options });
      expect(first).toBe(join("runs", "pics-tiny"));
      for (const data of ["pics/", join(place, "pics")])
        expect(await trained({ data, preset: "tiny", resume, stopAt: 1 })).toMatchObject({ folder: first });
      await drawn("写真", { "a.png": 1, "b.png": 2 });
      expect(await trained({ data: "写真", ...options })).toMatchObject({ folder: join("runs", "写真-tiny") });
    } finally {
      process.chdir(home);
    }
  });
});
