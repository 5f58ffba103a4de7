/** Tensors as bytes, and back. */
import { readSafetensors, writeSafetensors } from "ptdit/io";

globalThis.found.io = (async () => {
  const bytes = writeSafetensors(new Map([["w", { shape: [2, 2], data: [1, 2, 3, 4.5] }]]), { by: "a page" }, { dtype: "F16" });
  const { tensors, metadata } = readSafetensors(bytes, "bytes");
  const w = tensors.get("w");
  return { shape: w.shape, data: [...w.data], metadata };
})();
