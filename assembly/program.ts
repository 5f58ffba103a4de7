// The program: a list of commands in memory that all threads walk together, meeting at a barrier where a command needs what others
// have done.
import { setEpilogue } from "./epilogue";
import { execute } from "./dispatch.generated";
import { setThread, takePart, thread, threads } from "./threads";
import { initialiseConstants } from "./simd";

export { execute } from "./dispatch.generated"; // for tests, which play the threads one after the other
export { fuses, peakFlops, tileFlops } from "./probe";
export { scratchBytes } from "./threads";

// Control block, one cache line each: what the threads share.
const EPOCH: usize = 64; // run number: workers wait for it to move
const FROM: usize = 128; // first command of the run, and the end of the last
const TO: usize = 132;
const ARRIVED: usize = 192; // threads at the barrier
const PHASE: usize = 256; // barrier number
const SLEEPERS: usize = 320; // threads asleep at the barrier or between runs
const STOP: i32 = -1;

/** Polls before a thread goes to sleep: about 50 µs. */
const SPIN: i32 = 20000;

let phase: i32 = 0;
let epoch: i32 = 0;
let maySleep: bool = true;

/** Prepares this instance: thread `index` of `count`. `sleep` is 0 where the engine forbids blocking (a page's main thread). */
export function setUp(index: i32, count: i32, scratch: usize, sleep: i32): void {
  setThread(index, count, scratch);
  maySleep = sleep != 0;
  phase = atomic.load<i32>(PHASE);
  epoch = atomic.load<i32>(EPOCH);
  if (index == 0) initialiseConstants();
}

/** Waits until the number at `address` is no longer `value`: spins, then sleeps. */
function awaitChange(address: usize, value: i32): void {
  let polls = SPIN;
  while (atomic.load<i32>(address) == value) {
    if (polls > 0) {
      polls--;
    } else if (maySleep) {
      atomic.add<i32>(SLEEPERS, 1);
      // The counter is up before the value is read again, so a waker either sees the sleeper or the sleeper sees the change.
      if (atomic.load<i32>(address) == value) atomic.wait<i32>(address, value, -1);
      atomic.sub<i32>(SLEEPERS, 1);
    }
  }
}

/** Wakes whoever sleeps on `address`. */
function wake(address: usize): void {
  if (atomic.load<i32>(SLEEPERS) > 0) atomic.notify(address, i32.MAX_VALUE);
}

/** All threads meet here; everything written before is visible after. */
function barrier(): void {
  if (threads == 1) return;
  if (atomic.add<i32>(ARRIVED, 1) == threads - 1) {
    atomic.store<i32>(ARRIVED, 0);
    atomic.store<i32>(PHASE, phase + 1);
    wake(PHASE);
  } else {
    awaitChange(PHASE, phase);
  }
  phase++;
}

// What follows a command, in the low bits of its length: as `afters` in src/backend/wasm/encode.ts.
const AFTER: i32 = 15;
const MEET: i32 = 0;
const CHAIN: i32 = 2;

// Globals: V8's baseline compiler (Node 20) loses values kept on the stack across a barrier.
/** The command after the one that runs. */
let next: usize = 0;
/** What follows the one that runs. */
let after: i32 = 0;

function lookAhead(command: usize): void {
  const length = load<i32>(command, 4);
  after = length & AFTER;
  next = command + (length & ~AFTER);
}

// A command, as src/backend/wasm/encode.ts writes it: opcode, length, parts to claim, parts claimed, arguments.
const PARTS: usize = 8;
const CLAIMED: usize = 12;
const ARGUMENTS: usize = 16;

/** The command being performed: see `next`. */
let current: usize = 0;
let claim: i32 = 0;

/**
 * This thread's share of a command. Of long ones threads claim parts until none is left, so that a thread which is held up, by a
 * slower core or another process, does less of it; what is computed does not depend on who does it.
 */
function perform(command: usize): void {
  if (threads == 1 || load<i32>(command, PARTS) == 0) {
    execute(command);
    return;
  }
  current = command;
  while (true) {
    claim = atomic.add<i32>(current + CLAIMED, 1);
    if (claim >= load<i32>(current, PARTS)) break;
    takePart(claim, load<i32>(current, PARTS));
    execute(current);
  }
  // Every thread claims once in vain. After the last of them nobody claims until the next run.
  if (claim == load<i32>(current, PARTS) + threads - 1) atomic.store<i32>(current + CLAIMED, 0);
  takePart(thread, threads);
}

function walk(from: usize, to: usize): void {
  let command = from;
  while (command < to) {
    // Read before the barrier: after the last one, thread 0 may give the list's memory to someone else.
    lookAhead(command);
    if (after == CHAIN && next < to) {
      // The elementwise command that follows runs within this one, row by row.
      setEpilogue(next + ARGUMENTS);
      lookAhead(next);
    }
    perform(command);
    setEpilogue(0);
    if (after == MEET || next >= to) barrier();
    command = next;
  }
}

/** Runs the commands in [from, to) on all threads; called on thread 0, returns when every thread is done. */
export function run(from: usize, to: usize): void {
  if (threads > 1) {
    store<usize>(FROM, from);
    store<usize>(TO, to);
    atomic.add<i32>(EPOCH, 1);
    wake(EPOCH);
  }
  walk(from, to);
}

/** A worker's life up to the end of one run; returns false when told to stop. */
export function serve(): bool {
  awaitChange(EPOCH, epoch);
  epoch++;
  const from = load<usize>(FROM);
  if (<i32>from == STOP) return false;
  walk(from, load<usize>(TO));
  return true;
}

/** Tells the workers to end; called on thread 0. */
export function stop(): void {
  store<i32>(FROM, STOP);
  atomic.add<i32>(EPOCH, 1);
  wake(EPOCH);
}
