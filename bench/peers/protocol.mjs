/** What `ptdit bench` says to a peer and hears from it: one JSON object after another, as `bench/protocol.ts` declares them. */
import { end, requests, say } from "#host";

/** Runs shorter than this are repeated: a clock of microseconds could not tell.
 *  @units ms */
const shortestMs = 0.2;

/**
 * Answers requests until the input ends.
 * @param start () => { peer, version, threads, check, prepare }: an error means that the engine is not here.
 *   check() => largest relative error on the fixture; prepare(case) => a function that runs it once, or nothing where it cannot.
 */
export async function serve(start) {
  let engine;
  try {
    engine = await start();
  } catch (error) {
    say({ missing: firstLine(error) });
    return;
  }
  say({ ready: true, peer: engine.peer, version: engine.version, threads: engine.threads });
  let run;
  let repeats = 1;
  const handlers = {
    async check() {
      return { check: { worst: await engine.check() } };
    },
    async prepare(what) {
      repeats = 1;
      run = await engine.prepare(what);
      return run ? { prepared: true } : { unsupported: `no ${what.kind} ${what.mode ?? ""}`.trim() };
    },
    async run(count) {
      const times = [];
      for (let i = 0; i < count; i++) {
        const from = performance.now();
        for (let k = 0; k < repeats; k++) await run();
        const ms = performance.now() - from;
        times.push(ms / repeats);
        if (ms < shortestMs) repeats *= 2;
      }
      return { times };
    },
  };
  for await (const request of requests()) {
    const [[kind, value]] = Object.entries(request);
    if (kind === "end") break;
    try {
      say(await handlers[kind](value));
    } catch (error) {
      say({ unsupported: firstLine(error) });
    }
  }
  end();
}

const firstLine = (error) => String(error?.message ?? error).split("\n")[0];
