// The program: a list of commands in memory. Commands that do not depend on each other make an interval; the leader walks the intervals
// one after the other, those worth sharing together with its helpers.
import { anyComes, beginRun, close, intervalFrom, intervalTo, join, leave, open } from "./crew";
import { execute } from "./dispatch.generated";
import { setEpilogue } from "./epilogue";
import { takePart, thread, threads } from "./threads";

export { crewBytes, fail, setUp, stop } from "./crew";
export { peakFlops } from "./probe";
export { scratchBytes } from "./threads";
// For tests, which play the threads one after the other.
export { execute } from "./dispatch.generated";
export { takePart } from "./threads";

// A command, as src/backend/wasm/encode.ts writes it: opcode, length and what follows, parts a thread and estimated time, where the
// parts claimed are counted, arguments; at last one such count for each thread.
const LENGTH: usize = 4;
const DIVISION: usize = 8;
const COUNTS: usize = 12;
const ARGUMENTS: usize = 16;

// What follows a command, in the low bits of its length: as `afters` in src/backend/wasm/encode.ts.
const AFTER: i32 = 15;
const MEET: i32 = 0;
const CHAIN: i32 = 2;

// The division: parts in the low byte, the time in units of so many ns above.
const PARTS: i32 = 255;
const TIME_SHIFT: i32 = 8;
const TIME_UNIT: f64 = 64;

/** Work that is worth telling others of. */
const SHARED_NS: f64 = 4000;

// Globals: V8's baseline compiler (Node 20) loses values kept on the stack across a block with atomics.
/** The command after the one that runs, and what follows the one that runs. */
let next: usize = 0;
let after: i32 = 0;

function lookAhead(command: usize): void {
  const length = load<i32>(command, LENGTH);
  after = length & AFTER;
  next = command + (length & ~AFTER);
}

/** Does the commands in [from, to), which has no end of an interval but at `to`. */
function walk(from: usize, to: usize, shared: bool): void {
  for (current = from; current < to; current = next) {
    lookAhead(current);
    if (after == CHAIN && next < to) {
      // The elementwise command that follows runs within this one, row by row.
      setEpilogue(next + ARGUMENTS);
      lookAhead(next);
    }
    if (shared) perform();
    else execute(current);
    setEpilogue(0);
  }
}

/** The command being performed, whether this thread has done a part of it, whose parts are being claimed, and which one was. */
let current: usize = 0;
let begun: bool = false;
let owner: i32 = 0;
let claimed: i32 = 0;

/** Takes the owner's next part of the current command, if one is left. */
function claim(): bool {
  const parts = load<i32>(current, DIVISION) & PARTS;
  claimed = atomic.add<i32>(current + load<i32>(current, COUNTS) + (<usize>owner << 2), 1);
  if (claimed >= parts) return false;
  takePart(owner * parts + claimed, threads * parts, begun);
  begun = true;
  return true;
}

/**
 * What this thread can get of a command: its own parts first, rows that its caches may hold from the command before, then what others
 * have not begun, so that one which is held up, by a slower core or another process, does less of it. What is computed does not depend
 * on who does it.
 */
function perform(): void {
  begun = false;
  owner = thread;
  do {
    while (claim()) execute(current);
    owner = owner + 1 == threads ? 0 : owner + 1;
  } while (owner != thread);
  takePart(0, 1, false);
}

// The interval: its end, what all of it and its longest part should take.
let end: usize = 0;
let intervalNs: f64 = 0;
let partNs: f64 = 0;

/** Looks through the interval that begins at `from`, of a list that ends at `to`. */
function survey(from: usize, to: usize): void {
  intervalNs = 0;
  partNs = 0;
  end = from;
  do {
    const length = load<i32>(end, LENGTH);
    const division = load<i32>(end, DIVISION);
    const ns = <f64>(<u32>division >> TIME_SHIFT) * TIME_UNIT;
    intervalNs += ns;
    partNs = max(partNs, ns / <f64>((division & PARTS) * threads));
    end += length & ~AFTER;
    if ((length & AFTER) == MEET) break;
  } while (end < to);
}

/** Declares all parts of an interval unclaimed. */
function unclaim(from: usize, to: usize): void {
  for (let command = from; command < to; command += load<i32>(command, LENGTH) & ~AFTER) {
    memory.fill(command + load<i32>(command, COUNTS), 0, <usize>threads << 2);
  }
}

/** Runs the commands in [from, to); called on thread 0, returns when all is done. */
export function run(from: usize, to: usize): void {
  if (threads == 1) return walk(from, to, false);
  beginRun();
  for (start = from; start < to; start = end) {
    survey(start, to);
    if (intervalNs >= SHARED_NS && anyComes(intervalNs)) {
      unclaim(start, end);
      open(start, end);
      walk(start, end, true);
      close(partNs, intervalNs);
    } else {
      walk(start, end, false);
    }
  }
}

let start: usize = 0;

/** A helper's life up to the end of one interval; returns false when told to stop. */
export function serve(): bool {
  if (!join()) return false;
  walk(intervalFrom(), intervalTo(), true);
  leave();
  return true;
}
