/** Stages of the model as fixtures name them, and what `note` calls them here. */
const stages: Readonly<Record<string, string>> = {
  tokens: "tokens",
  cond: "conditioning",
  t6: "modulation",
  text: "caption",
};
const blockStages: Readonly<Record<string, string>> = {
  proxy_in: "giim.proxies",
  proxy_out: "giim.mixed",
  visual_cross: "giim.read",
  after_visual: "giim",
  after_window: "window",
  shifted_attn: "shifted.attended",
  after_shift: "shifted",
  after_text: "text",
  out: "mlp",
};

/** Our name of a fixture's stage; undefined where there is none. */
export function stageName(theirs: string): string | undefined {
  const block = /^block(\d+)\.(.+)$/.exec(theirs);
  if (!block) return stages[theirs];
  const [, index, stage] = block;
  return blockStages[stage] && `blocks.${index}.${blockStages[stage]}`;
}
