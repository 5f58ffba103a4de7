/** What a peer needs of Node. `pageHost.mjs` is the same for a worker of a page; package.json says which one `#host` is. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

export { installWorkers } from "./workers.mjs";

/** The words after the peer's name. */
export const words = process.argv.slice(2);
export const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
export async function* requests() {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line);
}
export const end = () => process.exit(0);
/** Bytes of the fixture `image`. */
export const readFixture = async () => readFileSync(new URL("../../test/fixtures/image.safetensors", import.meta.url));
