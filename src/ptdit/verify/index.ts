/** Holds this engine against fixtures of an independent implementation. */

import { checkDevice, type Device } from "../../backend/device.js";
import { FormatError } from "../../base/errors.js";
import { checkValue } from "../../base/options.js";
import type { SafetensorsFile } from "../../io/safetensors.js";
import { verifyModel } from "./model.js";
import { type GroupReport, Report } from "./report.js";
import { verifySampler } from "./sampler.js";
import { verifyTables } from "./tables.js";

export { modelFromFile } from "./fixture.js";
export type { GroupReport } from "./report.js";

/**
 * Builds the model a fixture describes, runs what the file holds, and reports the worst error of every group.
 * @throws FormatError when the file is not a fixture, or holds weights the model lacks
 */
export async function verifyFixture(file: SafetensorsFile, device: Device): Promise<GroupReport[]> {
  const read = { text: "a file that readSafetensors has read", holds: (v: unknown) => Object(v).tensors instanceof Map };
  checkValue("verify", "the file", file, read);
  checkDevice("verify", device);
  const { kind } = file.metadata;
  const report = new Report();
  const allowed = device.target.tolerances;
  if (kind === "tables") await verifyTables(file, device, report, allowed.outputs);
  else if (kind === "sampler") await verifySampler(file, device, report, allowed.outputs);
  else if (kind === "model") await verifyModel(file, device, report, allowed);
  else
    throw new FormatError(
      `verify: metadata "kind" must be model, sampler or tables, got ${JSON.stringify(kind)}. Is this a ptdit fixture?`,
    );
  const groups = report.result();
  if (groups.length === 0) throw new FormatError("verify: the file holds nothing that can be checked.");
  return groups;
}
