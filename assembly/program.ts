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
const FAILED: usize = 384; // 1 once a worker has trapped
const STOP: i32 = -1;

/** Polls before a worker goes to sleep between runs: about 50 µs. */
const IDLE_POLLS: i32 = 20000;

let phase: i32 = 0;
let epoch: i32 = 0;
/** Polls before this thread goes to sleep at a barrier. */
let barrierPolls: i32 = 0;

/** Prepares this instance: thread `index` of `count`, which polls so often at a barrier before it goes to sleep, if `polls` is not 0. */
export function setUp(index: i32, count: i32, scratch: usize, polls: i32): void {
  setThread(index, count, scratch);
  barrierPolls = polls;
  phase = atomic.load<i32>(PHASE);
  epoch = atomic.load<i32>(EPOCH);
  if (index == 0) initialiseConstants();
}

/** Waits until the number at `address` is no longer `value`: polls it so often, then sleeps; of no polls, never sleeps. */
function awaitChange(address: usize, value: i32, polls: i32): void {
  while (atomic.load<i32>(address) == value) {
    if (polls > 1) {
      polls--;
    } else if (polls == 1) {
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
    awaitChange(PHASE, phase, barrierPolls);
    if (atomic.load<i32>(FAILED) != 0) unreachable();
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

// A command, as src/backend/wasm/encode.ts writes it: opcode, length, parts a thread, where the parts claimed are counted, arguments;
// of a command in parts, at last, one such count for each thread.
const PARTS: usize = 8;
const COUNTS: usize = 12;
const ARGUMENTS: usize = 16;

// Globals for the reason given above.
/** The command being performed, whether this thread has done a part of it, whose parts are being claimed, and which one was. */
let current: usize = 0;
let begun: bool = false;
let owner: i32 = 0;
let claimed: i32 = 0;

/** Takes the owner's next part of the current command, if one is left. */
function claim(): bool {
  const count = current + load<i32>(current, COUNTS) + (<usize>owner << 2);
  const parts = load<i32>(current, PARTS);
  claimed = atomic.add<i32>(count, 1);
  if (claimed < parts) {
    takePart(owner * parts + claimed, threads * parts, begun);
    begun = true;
    return true;
  }
  // Every thread claims once in vain. After the last of them nobody claims until the next run.
  if (claimed == parts + threads - 1) atomic.store<i32>(count, 0);
  return false;
}

/**
 * This thread's share of a command. Long ones are in parts: a thread does its own, rows that its caches may hold from the command
 * before, then what others have not begun, so that one which is held up, by a slower core or another process, does less of it.
 * What is computed does not depend on who does it.
 */
function perform(command: usize): void {
  if (threads == 1 || load<i32>(command, PARTS) == 0) {
    execute(command);
    return;
  }
  current = command;
  begun = false;
  owner = thread;
  do {
    while (claim()) execute(current);
    owner = owner + 1 == threads ? 0 : owner + 1;
  } while (owner != thread);
  takePart(thread, threads, false);
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
  awaitChange(EPOCH, epoch, IDLE_POLLS);
  epoch++;
  const from = load<usize>(FROM);
  if (<i32>from == STOP) return false;
  walk(from, load<usize>(TO));
  return true;
}

/** Called on a worker that has trapped: opens the barrier, where the others trap too. */
export function fail(): void {
  atomic.store<i32>(FAILED, 1);
  atomic.add<i32>(PHASE, 1);
  atomic.notify(PHASE, i32.MAX_VALUE);
}

/** Tells the workers to end; called on thread 0. */
export function stop(): void {
  store<i32>(FROM, STOP);
  atomic.add<i32>(EPOCH, 1);
  wake(EPOCH);
}
