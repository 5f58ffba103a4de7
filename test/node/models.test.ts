import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, FormatError } from "../../src/base/errors.js";
import { loadCheckpoint } from "../../src/node/checkpoint.js";
import { loadModel, modelFile, modelNames, modelsFolder } from "../../src/node/models.js";
import { averagedPipeline } from "../../src/ptdit/readCheckpoint.js";
import { root } from "../cli/command.js";
import { at, folder, useTemporaryFolders } from "../temporaryFolder.js";

useTemporaryFolders();
const file = join(root, "test/fixtures/runs/format-1/checkpoint.safetensors");

describe("models that come with the package", () => {
  it("are the files of its folder", async () => {
    expect(modelsFolder()).toBe(join(root, "models"));
    const found = readdirSync(modelsFolder()).filter((name) => name.endsWith(".safetensors"));
    expect(await modelNames()).toEqual(found.map((name) => name.replace(".safetensors", "")).sort());
    // Each of them is whole.
    for (const name of await modelNames()) averagedPipeline(await loadModel(name));
  });

  it("go by their names, and by nothing else", async () => {
    mkdirSync(at("models"));
    for (const name of ["moji", "faces"]) copyFileSync(file, at("models", `${name}.safetensors`));
    writeFileSync(at("models", "README.md"), "words");
    copyFileSync(file, at("other.safetensors"));
    expect(await modelNames(at("models"))).toEqual(["faces", "moji"]);
    const path = await modelFile("moji", at("models"));
    expect((await loadCheckpoint(path)).run.data).toBe("emoji:64");
    for (const name of ["emoji", "../other", "README", "moji.safetensors", "", "constructor"]) {
      await expect(modelFile(name, at("models"))).rejects.toThrow(ConfigError);
      await expect(modelFile(name, at("models"))).rejects.toThrow("Known: faces, moji.");
    }
    await expect(modelFile("emoji", at("models"))).rejects.toThrow('unknown model "emoji". Did you mean "moji"?');
  });

  it("may be none: that is said", async () => {
    for (const empty of [folder, at("nowhere")]) {
      expect(await modelNames(empty)).toEqual([]);
      await expect(modelFile("emoji", empty)).rejects.toThrow(
        'model: no model comes with this version of ptdit, asked was "emoji". Give a run of yours.',
      );
    }
    await expect(loadModel(Object(5))).rejects.toThrow("its name must be a text");
  });

  it("are refused when they are damaged", async () => {
    mkdirSync(at("models"));
    writeFileSync(at("models", "half.safetensors"), "<html>");
    await expect(loadCheckpoint(await modelFile("half", at("models")))).rejects.toThrow(FormatError);
  });
});
