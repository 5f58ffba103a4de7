/** The authors' names of parameters, one to one with ours, so that their checkpoints load and ours read as theirs. */
import { FormatError } from "../base/errors.js";
import { checkValue, text } from "../base/options.js";

type Names = Readonly<Record<string, string>>;

/** Our name of a part -> theirs, or for parts that theirs lack, what diffusers would call it; the longest match of leading parts wins. */
const blockNames: Names = {
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
  "mlp.gate": "ff.net.0.gate",
  "mlp.first": "ff.net.0.proj",
  "mlp.second": "ff.net.2",
  modulation: "scale_shift_table",
  shiftedModulation: "proxy_scale_shift_table",
};
const modelNames: Names = {
  patchEmbed: "pos_embed.proj",
  "conditioning.timestep": "adaln_single.emb.timestep_embedder",
  "conditioning.resolution": "adaln_single.emb.resolution_embedder",
  "conditioning.aspect": "adaln_single.emb.aspect_ratio_embedder",
  "conditioning.classes": "class_embedder",
  "conditioning.pooled": "adaln_single.pooled_caption",
  "conditioning.modulation": "adaln_single.linear",
  caption: "caption_projection",
  "final.modulation": "scale_shift_table",
  "final.out": "proj_out",
};
/** Layers within an attention or a pair of linears. */
const partNames: Names = {
  query: "to_q",
  key: "to_k",
  value: "to_v",
  queryNorm: "norm_q",
  keyNorm: "norm_k",
  out: "to_out.0",
  first: "linear_1",
  second: "linear_2",
};

/** Buffers of released checkpoints that are derived, not learned. */
export const derivedNames: ReadonlySet<string> = new Set(["pos_embed.pos_embed"]);

const inverted = (names: Names): Names => Object.fromEntries(Object.entries(names).map(([own, theirs]) => [theirs, own]));
const [ownBlockNames, ownModelNames, ownPartNames] = [inverted(blockNames), inverted(modelNames), inverted(partNames)];

/** The authors' name of our parameter.
 *  @throws FormatError when there is none */
export function releasedName(name: string): string {
  checkValue("stateDict", "name", name, text);
  const block = /^blocks\.(\d+)\.(.+)$/.exec(name);
  const theirs = block ? translated(block[2], blockNames, partNames) : translated(name, modelNames, partNames);
  if (theirs === undefined) throw new FormatError(`stateDict: parameter "${name}" has no name in the released state dict.`);
  return block ? `transformer_blocks.${block[1]}.${theirs}` : theirs;
}

/** Our name of the authors' parameter; undefined when it is none of theirs, or is derived. */
export function ownName(released: string): string | undefined {
  checkValue("stateDict", "name", released, text);
  const block = /^transformer_blocks\.(\d+)\.(.+)$/.exec(released);
  if (!block) return translated(released, ownModelNames, ownPartNames);
  const own = translated(block[2], ownBlockNames, ownPartNames);
  return own && `blocks.${block[1]}.${own}`;
}

/** A path in other words: its first parts by the longest name that fits, every layer after them by `layers`. */
function translated(path: string, names: Names, layers: Names): string | undefined {
  const [first, rest] = longest(path.split("."), names) ?? [];
  if (first === undefined || rest === undefined) return undefined;
  const words = [first];
  for (let left = rest; left.length > 0; ) {
    const [word, after] = longest(left, layers) ?? [left[0], left.slice(1)];
    words.push(word);
    left = after;
  }
  return words.join(".");
}

/** What the longest run of leading parts is called, and the parts after it. */
function longest(parts: readonly string[], names: Names): [name: string, rest: readonly string[]] | undefined {
  for (let count = parts.length; count > 0; count--) {
    const path = parts.slice(0, count).join(".");
    if (Object.hasOwn(names, path)) return [names[path], parts.slice(count)];
  }
  return undefined;
}
