import { open, stat } from "node:fs/promises";
import { FileError } from "../base/errors.js";

/** What files begin with. */
const beginnings = {
  picture: [
    [0x89, 0x50, 0x4e, 0x47], // PNG
    [0xff, 0xd8, 0xff], // JPEG
    [0x47, 0x49, 0x46, 0x38], // GIF
    [0x52, 0x49, 0x46, 0x46], // WebP
  ],
  trace: [[...new TextEncoder().encode('{"traceEvents"')]],
  "dot file": [[...new TextEncoder().encode("digraph {")]],
  plot: [[...new TextEncoder().encode("<svg xmlns")]],
  "measures of a run": [[...new TextEncoder().encode('{"step":')]],
  "log of a run": [[...new TextEncoder().encode("step,loss,")]],
  "table of a sweep": [[...new TextEncoder().encode("solver,steps,")]],
} as const satisfies Readonly<Record<string, readonly (readonly number[])[]>>;

/** A kind of result. */
export type Kind = keyof typeof beginnings;

/** Whether a file begins as what is of this kind; undefined: there is no file, or nothing in it. */
export async function beginsAs(path: string, kind: Kind): Promise<boolean | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size === 0) return undefined;
  const head = new Uint8Array(16);
  const file = await open(path, "r").catch(() => undefined);
  await file?.read(head, 0, head.length, 0).finally(() => file.close());
  return beginnings[kind].some((bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte));
}

/**
 * Makes sure that a result replaces only what it may be an earlier result of: a picture a picture, a trace a trace.
 * @throws FileError when a file of another kind is there
 */
export async function checkReplaceable(path: string, kind: Kind): Promise<void> {
  if ((await beginsAs(path, kind)) === false)
    throw new FileError(`${path}: is there already, and is no ${kind}: it is not replaced. Choose another name.`);
}
