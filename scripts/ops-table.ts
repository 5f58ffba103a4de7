/** Writes docs/ops.md: every op, what it computes, its kernels and its gradient. Fails if a cell would be blank. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { opsTable } from "./opsTable.ts";

writeFileSync(fileURLToPath(new URL("../docs/ops.md", import.meta.url)), opsTable());
