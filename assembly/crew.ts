// Who shares the work. Thread 0 leads; for every interval of a program it asks the helpers in, does what they leave, and sends them out
// again. It waits only for those who came in: one that sleeps, or that the system runs no code of, is not missed. One that came in and
// was held up in the midst of its part has to be waited for; it is left out afterwards, the longer the more often it happens.
import { setThread, thread, threads } from "./threads";
import { initialiseConstants } from "./simd";

// Shared by all, one cache line each.
const FROM: usize = 64; // the interval: first command, and the end of the last
const TO: usize = 68;
const LEADER_SLEEPS: usize = 128; // 1 while the leader sleeps
const FAILED: usize = 192; // 1 once a helper has trapped
const STOP: usize = 0xffffffff;

/** Two pairs of cache lines a thread: what leader and helper tell each other, and the leader's notes on the helper. */
export const crewBytes: usize = 256;
const TICKET: usize = 0; // what the helper is asked for: 4·number of the interval + state
const ASLEEP: usize = 4; // 1 while the helper sleeps
const NOTES: usize = 128;
const ASKED: usize = NOTES; // whether it was asked into the interval that runs
const LEFT_OUT: usize = NOTES + 8; // work that is still to be done without it, ns
const MISSED: usize = NOTES + 16; // work of this run that was done while it slept, ns
const TIMES: usize = NOTES + 24; // how many times as long as it was waited for it will be left out
const CREDIT: usize = NOTES + 32; // how long it may still be waited for, ns

// States of a ticket. The leader opens and closes it, the helper joins and leaves.
const OPEN: i32 = 0;
const JOINED: i32 = 1;
const LEFT: i32 = 2;
const CLOSED: i32 = 3;

/** Polls before a helper goes to sleep: about 50 µs. */
const IDLE_POLLS: i32 = 20000;
/** What a poll takes, about. */
const POLL_NS: f64 = 2.5;
/** The leader sleeps in pieces of so long, which tell how long it slept: there is no clock here. */
const NAP_NS: f64 = 200e3;
/** Work for which a sleeping helper is woken: it comes tens of microseconds late. */
const WAKE_NS: f64 = 30e3;
/** A helper may be this much later than its part should take: caches, interrupts, a wrong estimate. */
const GRACE_NS: f64 = 20e3;
const GRACE_TIMES: f64 = 4;
/** Of the work done with a helper so much may be spent waiting for it, and no more than so long at a time. */
const CREDIT_SHARE: f64 = 0.1;
const CREDIT_MOST: f64 = 8e6;
/** At first an engine compiles while it runs. */
const CREDIT_FIRST: f64 = 50e6;
/** A helper without credit is left out for 8 times as long as it was waited for too much, and for 128 times at most. */
const TIMES_FIRST: f64 = 8;
const TIMES_MOST: f64 = 128;

let crew: usize = 0;
/** Helpers that the leader asks in at a time. */
let mostHelpers: i32 = 0;
/** Polls before the leader goes to sleep waiting for a helper; 0: it may not sleep. */
let leaderPolls: i32 = 0;

/** Prepares this instance: thread `index` of `count`, whose lines begin at `lines`. `helpers` and `polls` are the leader's. */
export function setUp(index: i32, count: i32, scratch: usize, lines: usize, helpers: i32, polls: i32): void {
  setThread(index, count, scratch);
  crew = lines;
  mostHelpers = helpers;
  leaderPolls = polls;
  if (index != 0) return;
  initialiseConstants();
  for (let helper = 1; helper < count; helper++) {
    atomic.store<i32>(lineOf(helper), LEFT);
    store<f64>(lineOf(helper), TIMES_FIRST, TIMES);
    store<f64>(lineOf(helper), CREDIT_FIRST, CREDIT);
  }
}

// @ts-ignore: decorator
@inline
function lineOf(index: i32): usize {
  return crew + <usize>index * crewBytes;
}

/** Forgets what was done while helpers slept: for a run of little work nobody is woken. */
export function beginRun(): void {
  for (let helper = 1; helper < threads; helper++) store<f64>(lineOf(helper), 0, MISSED);
}

/** Whether any helper would come, were it asked into an interval of so much work. Counts the work of those who would not. */
export function anyComes(ns: f64): bool {
  let asked = 0;
  for (let helper = 1; helper < threads; helper++) {
    const line = lineOf(helper);
    let comes = asked < mostHelpers;
    const leftOut = load<f64>(line, LEFT_OUT);
    if (leftOut > 0) {
      store<f64>(line, leftOut - ns, LEFT_OUT);
      comes = false;
    } else if (atomic.load<i32>(line, ASLEEP) != 0) {
      const missed = load<f64>(line, MISSED) + ns;
      store<f64>(line, missed, MISSED);
      comes = comes && missed >= WAKE_NS;
    }
    store<i32>(line, i32(comes), ASKED);
    asked += i32(comes);
  }
  return asked > 0;
}

/** Asks those in who would come. */
export function open(from: usize, to: usize): void {
  store<usize>(FROM, from);
  store<usize>(TO, to);
  for (let helper = 1; helper < threads; helper++) {
    const line = lineOf(helper);
    if (load<i32>(line, ASKED) != 0) ask(line);
  }
}

function ask(line: usize): void {
  atomic.store<i32>(line, (atomic.load<i32>(line) & ~3) + 4 + OPEN);
  // A helper says that it sleeps before it looks at its ticket for the last time, so that one of the two is seen.
  if (atomic.load<i32>(line, ASLEEP) != 0) atomic.notify(line, i32.MAX_VALUE);
}

/** Sends everybody out, and waits for those who are in. `partNs`: what the longest part should take; `ns`: all of the interval. */
export function close(partNs: f64, ns: f64): void {
  for (let helper = 1; helper < threads; helper++) {
    const line = lineOf(helper);
    if (load<i32>(line, ASKED) == 0) continue;
    const ticket = atomic.load<i32>(line) & ~3;
    if (atomic.cmpxchg<i32>(line, ticket + OPEN, ticket + CLOSED) == ticket + OPEN) continue;
    judge(line, waitFor(line, ticket + JOINED), partNs, ns);
  }
}

/** Waits until the ticket is no longer `joined`. Returns how long that took, about, in ns. */
function waitFor(line: usize, joined: i32): f64 {
  let polls = 0;
  let slept: f64 = 0;
  while (atomic.load<i32>(line) == joined) {
    polls++;
    if (polls != leaderPolls) continue;
    // A core without work is given what waits for another: perhaps this helper.
    atomic.store<i32>(LEADER_SLEEPS, 1);
    while (atomic.load<i32>(line) == joined) {
      atomic.wait<i32>(line, joined, <i64>NAP_NS);
      slept += NAP_NS;
    }
    atomic.store<i32>(LEADER_SLEEPS, 0);
  }
  if (atomic.load<i32>(FAILED) != 0) unreachable();
  return <f64>polls * POLL_NS + slept;
}

/** Keeps account of a helper: its work earns it credit, which waiting for it uses up. One without credit is left out for a while. */
function judge(line: usize, waitedNs: f64, partNs: f64, ns: f64): void {
  const had = load<f64>(line, CREDIT);
  const late = max(0, waitedNs - GRACE_NS - GRACE_TIMES * partNs);
  const credit = had + (had < CREDIT_MOST ? CREDIT_SHARE * ns : 0) - late;
  const times = load<f64>(line, TIMES);
  if (credit < 0) {
    store<f64>(line, -credit * times, LEFT_OUT);
    store<f64>(line, min(2 * times, TIMES_MOST), TIMES);
    store<f64>(line, 0, CREDIT);
  } else {
    const trusted = had < CREDIT_MOST && credit >= CREDIT_MOST;
    if (trusted) store<f64>(line, max(times / 2, TIMES_FIRST), TIMES);
    store<f64>(line, trusted ? CREDIT_MOST / 2 : credit, CREDIT);
  }
}

// The helper's side. Globals: V8's baseline compiler (Node 20) loses values kept on the stack across loops over atomics.
let own: usize = 0;
let seen: i32 = 0;

/** Waits to be asked in. Returns false when told to stop. `intervalFrom` and `intervalTo` say what there is to do. */
export function join(): bool {
  own = lineOf(thread);
  do {
    let polls = IDLE_POLLS;
    for (seen = atomic.load<i32>(own); (seen & 3) != OPEN; seen = atomic.load<i32>(own)) {
      if (--polls > 0) continue;
      atomic.store<i32>(own, 1, ASLEEP);
      if (atomic.load<i32>(own) == seen) atomic.wait<i32>(own, seen, -1);
      atomic.store<i32>(own, 0, ASLEEP);
      polls = IDLE_POLLS;
    }
  } while (atomic.cmpxchg<i32>(own, seen, seen + JOINED) != seen);
  return load<usize>(FROM) != STOP;
}

export function intervalFrom(): usize {
  return load<usize>(FROM);
}

export function intervalTo(): usize {
  return load<usize>(TO);
}

/** Says that this helper is done with its interval. */
export function leave(): void {
  atomic.store<i32>(own, seen + LEFT);
  if (atomic.load<i32>(LEADER_SLEEPS) != 0) atomic.notify(own, i32.MAX_VALUE);
}

/** Called on a helper that has trapped: the leader traps too. */
export function fail(): void {
  atomic.store<i32>(FAILED, 1);
  leave();
}

/** Tells the helpers to end; called on thread 0. */
export function stop(): void {
  store<usize>(FROM, STOP);
  for (let helper = 1; helper < threads; helper++) ask(lineOf(helper));
}
