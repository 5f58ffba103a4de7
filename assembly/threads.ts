// Who am I, and which part of the work is mine. Globals are per instance, hence per thread.

/** This thread's number, 0..threads-1, and how many threads run the program. */
export let thread: i32 = 0;
export let threads: i32 = 1;
/** This thread's scratch memory, `scratchBytes` long, 64-byte aligned. */
export let scratchPtr: usize = 0;

export const scratchBytes: usize = 8 << 20;

/** Which part of how many of a kernel's work is to be done: the thread's own, or one that it has claimed. */
let part: i32 = 0;
let parts: i32 = 1;

/** Whether this thread has done a part of the same call before: what a kernel laid out in scratch for it is still there. */
export let continued: bool = false;

/** The share of the current kernel's work that is this thread's: units shareStart..shareEnd-1. */
export let shareStart: i32 = 0;
export let shareEnd: i32 = 0;

export function setThread(index: i32, count: i32, scratch: usize): void {
  thread = index;
  threads = count;
  scratchPtr = scratch;
}

/** Takes part `index` of `count` of the kernels that run from now on. */
export function takePart(index: i32, count: i32, again: bool): void {
  part = index;
  parts = count;
  continued = again;
}

/** Splits `units` units of work into contiguous shares, one a part. */
export function share(units: i32): void {
  shareStart = <i32>((<i64>units * part) / parts);
  shareEnd = <i32>((<i64>units * (part + 1)) / parts);
}

/** Whether there are so many groups that every thread has some to choose from, and none is cut. */
export function groupsStayWhole(groups: i32): bool {
  return groups >= 2 * threads;
}

/** Splits `groups` groups of `units` units. */
export function shareGroups(groups: i32, units: i32): void {
  if (!groupsStayWhole(groups)) return share(groups * units);
  share(groups);
  shareStart *= units;
  shareEnd *= units;
}
