/** Removes what was compiled from a source that is gone, so that it is not packed. The rest stays: the compiler writes what has changed. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const compiled = ["src", "cli"].filter((folder) => existsSync(join(root, "dist", folder)));
const sourceOf = (file: string): string => file.replace(/\.d\.ts$|\.js$/, ".ts");

for (const folder of compiled) {
  for (const file of readdirSync(join(root, "dist", folder), { recursive: true, encoding: "utf8" })) {
    if (/\.d\.ts$|\.js$/.test(file) && existsSync(join(root, folder, sourceOf(file)))) continue;
    if (!existsSync(join(root, folder, file))) rmSync(join(root, "dist", folder, file), { recursive: true, force: true });
  }
}
// The compiler trusts its own notes of what it wrote, also where somebody removed it.
if (compiled.length < 2) rmSync(join(root, "dist", "build.tsbuildinfo"), { force: true });
