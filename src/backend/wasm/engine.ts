/**
 * Types of the engine's own objects, for signatures that are published: where a project's libraries have them (the DOM's, Node's), they
 * are those; where they do not, any object will do, so that the library's types need no other library's.
 */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object;
export type WasmMemory = typeof globalThis extends { WebAssembly: { Memory: { prototype: infer M } } } ? M : object;
export type WasmGlobal = typeof globalThis extends { WebAssembly: { Global: { prototype: infer G } } } ? G : object;
export type Url = typeof globalThis extends { URL: { prototype: infer U } } ? U : { readonly href: string };
export type Bytes = Uint8Array<ArrayBuffer> | ArrayBuffer;
