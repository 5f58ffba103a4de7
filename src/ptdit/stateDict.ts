/** The authors' names of parameters, one to one with ours, so that their checkpoints load and ours read as theirs. */
import { FormatError } from "../base/errors.js";
import { checkValue, text } from "../base/options.js";

/** Our name of a part -> theirs; the longest match of leading parts wins. */
const blockNames: Readonly<Record<string, string>> = {
  "giim.norm": "proxy_norm1",
  "giim.proxyAttention": "proxy_attn1",
  "giim.tokenNorm": "norm_before",
  "giim.proxyNorm": "proxy_cross_norm",
  "giim.crossAttention": "pvisual_attn2",
  "giim.out": "linear_1_visual",
  "window.norm": "norm1",
  "window.attention": "attn1",
  "shifted.norm": "shift_window_norm",
  "shifted.attention": "attn3",
  "shifted.out": "linear_2",
  text: "attn2",
  mlpNorm: "norm2",
  "mlp.first": "ff.net.0.proj",
  "mlp.second": "ff.net.2",
  modulation: "scale_shift_table",
  shiftedModulation: "proxy_scale_shift_table",
};
const modelNames: Readonly<Record<string, string>> = {
  patchEmbed: "pos_embed.proj",
  "conditioning.timestep": "adaln_single.emb.timestep_embedder",
  "conditioning.resolution": "adaln_single.emb.resolution_embedder",
  "conditioning.aspect": "adaln_single.emb.aspect_ratio_embedder",
  "conditioning.classes": "class_embedder",
  "conditioning.modulation": "adaln_single.linear",
  caption: "caption_projection",
  "final.modulation": "scale_shift_table",
  "final.out": "proj_out",
};
/** Layers within an attention or a pair of linears. */
const partNames: Readonly<Record<string, string>> = {
  query: "to_q",
  key: "to_k",
  value: "to_v",
  out: "to_out.0",
  first: "linear_1",
  second: "linear_2",
};

/** Buffers of released checkpoints that are derived, not learned. */
export const derivedNames: ReadonlySet<string> = new Set(["pos_embed.pos_embed"]);

/** The authors' name of our parameter.
 *  @throws FormatError when there is none */
export function releasedName(name: string): string {
  checkValue("stateDict", "name", name, text);
  const block = /^blocks\.(\d+)\.(.+)$/.exec(name);
  if (block) return `transformer_blocks.${block[1]}.${translate(block[2], blockNames, name)}`;
  return translate(name, modelNames, name);
}

function translate(path: string, names: Readonly<Record<string, string>>, full: string): string {
  const parts = path.split(".");
  for (let count = parts.length; count > 0; count--) {
    const theirs = names[parts.slice(0, count).join(".")];
    if (theirs === undefined) continue;
    const rest = parts.slice(count).map((part) => partNames[part] ?? part);
    return [theirs, ...rest].join(".");
  }
  throw new FormatError(`stateDict: parameter "${full}" has no name in the released state dict.`);
}
