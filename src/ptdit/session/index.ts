export * from "./browserStore.js";
export * from "./events.js";
export type { LogEntry, LogLine, ResumeLine } from "./log.js";
export { type MemoryStore, memoryStore } from "./memoryStore.js";
export { defaultSteps, type SessionOptions, type StopSignal } from "./options.js";
export type { RunStore, Samples } from "./runStore.js";
export { session } from "./session.js";
