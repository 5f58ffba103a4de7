import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root, run } from "./install.js";

// `npm install FOLDER` links the folder and runs its `prepare`, without installing what that needs.
describe("preparing where the tools that build are not installed", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ptdit-prepare-")));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "scripts"));
  copyFileSync(join(root, "scripts/prepare.mjs"), join(folder, "scripts/prepare.mjs"));
  const prepare = () => run(process.execPath, ["scripts/prepare.mjs"], folder);

  it("names them and what to do where nothing is built", async () => {
    const { code, err } = await prepare();
    expect(code).toBe(1);
    expect(err).toMatch(/dist\/ is not built, .*tsx, typescript, assemblyscript, .*\nRun "npm install" in .* first/);
  });

  it("keeps what is built", async () => {
    mkdirSync(join(folder, "dist/cli"), { recursive: true });
    writeFileSync(join(folder, "dist/cli/main.js"), "");
    expect(await prepare()).toMatchObject({ code: 0, out: expect.stringContaining("stays as it was built") });
  });
});
