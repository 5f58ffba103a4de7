/**
 * What npm runs after an install in a clone, in the clone of a git dependency, and when this folder itself is installed somewhere:
 * builds where the tools are. Plain JavaScript, since it also runs where they are not: `npm install FOLDER` only links the folder, and
 * `--omit=dev` leaves them out.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { resolve } = createRequire(import.meta.url);

function isInstalled(tool) {
  try {
    return Boolean(resolve(tool));
  } catch {
    return false;
  }
}

const missing = ["tsx", "typescript", "assemblyscript", "emoji-datasource-google", "emojibase-data"].filter(
  (tool) => !isInstalled(`${tool}/package.json`),
);

// Packing has run `prepack`, which builds.
if (!["pack", "publish"].includes(process.env.npm_command ?? "")) {
  if (missing.length === 0) {
    const { status } = spawnSync("npm run build", { cwd: root, stdio: "inherit", shell: true });
    process.exitCode = status ?? 1;
  } else if (existsSync(`${root}dist/cli/main.js`)) {
    console.log("ptdit: the tools that build are not installed here; dist/ stays as it was built.");
  } else {
    console.error(
      `ptdit: dist/ is not built, and what builds it is not installed: ${missing.join(", ")}.\n` +
        `Run "npm install" in ${root} first, with development dependencies, or install the packed package (npm pack).`,
    );
    process.exitCode = 1;
  }
}
