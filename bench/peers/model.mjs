/**
 * PT-DiT, and its full-attention baseline, over any engine: `ops` are the engine's, on tensors of its own.
 *
 * ops: tensor(data, shape), add, sub, mul (broadcasting), scaled(x, s), shifted(x, s), reshape(x, shape), transpose(x, order),
 * linear(x [rows, in], weight [out, in], bias), matmulNT(a, b), matmul(a, b) (batched), softmax(x) and norm(x) over the last
 * axis, gelu, silu, mean(x, axis), slice(x, axis, from, to), concat(list, axis).
 * @source Qihoo-T2X (PT-DiT); parameter names of the released state dict
 */

/** A workload's sizes as the functions below want them.
 *  @param geometry { heads, headDim, depth, channels, side, patch, window: [frames, rows, columns], batch, captionTokens, captionChannels } */
export function sizesOf(geometry) {
  const { heads, headDim, side, patch, window } = geometry;
  const grid = side / patch;
  const [, rows, columns] = window;
  const windows = (grid / rows) * (grid / columns);
  return { ...geometry, width: heads * headDim, grid, tokens: grid * grid, rows, columns, windows, perWindow: rows * columns };
}

/** Names and shapes of the parameters; linear weights are [out, in]. */
export function parameterShapes(sizes, model) {
  const { width, channels, patch, captionChannels, depth } = sizes;
  const shapes = {};
  const linear = (name, out, inner) => {
    shapes[`${name}.weight`] = [out, inner];
    shapes[`${name}.bias`] = [out];
  };
  shapes["pos_embed.proj.weight"] = [width, channels, patch, patch];
  shapes["pos_embed.proj.bias"] = [width];
  linear("adaln_single.emb.timestep_embedder.linear_1", width, 256);
  linear("adaln_single.emb.timestep_embedder.linear_2", width, width);
  linear("adaln_single.linear", 6 * width, width);
  linear("caption_projection.linear_1", width, captionChannels);
  linear("caption_projection.linear_2", width, width);
  for (let i = 0; i < depth; i++) {
    const block = `transformer_blocks.${i}.`;
    const proxy = model === "ptdit" ? ["proxy_attn1", "pvisual_attn2", "attn3"] : [];
    for (const name of ["attn1", "attn2", ...proxy]) {
      for (const part of ["to_q", "to_k", "to_v", "to_out.0"]) linear(`${block}${name}.${part}`, width, width);
    }
    linear(`${block}ff.net.0.proj`, 4 * width, width);
    linear(`${block}ff.net.2`, width, 4 * width);
    shapes[`${block}scale_shift_table`] = [6, width];
    if (model === "ptdit") {
      linear(`${block}linear_1_visual`, width, width);
      linear(`${block}linear_2`, width, width);
      shapes[`${block}proxy_scale_shift_table`] = [3, width];
    }
  }
  shapes.scale_shift_table = [2, width];
  linear("proj_out", patch * patch * 2 * channels, width);
  return shapes;
}

/**
 * The prediction of a batch, [batch, channels, side, side].
 * @param w parameters by name
 * @param data { x [batch, channels, side, side], time [batch, 256], caption [batch, tokens, channels], positions [1, tokens, width],
 *   bias [1, windows, 1, perWindow, perWindow] }
 */
export function predict(ops, w, data, sizes, model) {
  const { add, mul, shifted, reshape, transpose, concat, slice } = ops;
  const { batch, width, heads, headDim, depth, channels, grid, tokens, rows, columns, patch, windows, perWindow } = sizes;
  const [down, across] = [grid / rows, grid / columns];

  const linear = (x, name) => {
    const { shape } = x;
    const weight = w[`${name}.weight`];
    const y = ops.linear(reshape(x, [-1, shape.at(-1)]), weight, w[`${name}.bias`]);
    return reshape(y, [...shape.slice(0, -1), weight.shape[0]]);
  };
  const modulated = (x, scale, shift) => add(mul(ops.norm(x), shifted(scale, 1)), shift);
  const toWindows = (x) => {
    const cells = transpose(reshape(x, [batch, down, rows, across, columns, width]), [0, 1, 3, 2, 4, 5]);
    return reshape(cells, [batch, windows, perWindow, width]);
  };
  const fromWindows = (x, last = width) => {
    const cells = transpose(reshape(x, [batch, down, across, rows, columns, last]), [0, 1, 3, 2, 4, 5]);
    return reshape(cells, [batch, grid, grid, last]);
  };
  const rolled = (x, axis, by) => {
    const head = ((by % grid) + grid) % grid;
    if (head === 0) return x;
    return concat([slice(x, axis, grid - head, grid), slice(x, axis, 0, grid - head)], axis);
  };
  const shiftedWindows = (x, sign) =>
    toWindows(rolled(rolled(fromWindows(x), 1, sign * (rows >> 1)), 2, sign * (columns >> 1)));
  /** The rows of a table plus conditioning, each to broadcast over tokens. */
  const modulations = (table, conditioning, count) => {
    const sum = add(reshape(table, [1, count, width]), conditioning);
    return Array.from({ length: count }, (_, i) => reshape(slice(sum, 1, i, i + 1), [batch, 1, 1, width]));
  };
  const attention = (name, x, keys = x, masked = false) => {
    const byHead = (y) => {
      const [groups, length] = y.shape;
      return transpose(reshape(y, [groups, length, heads, headDim]), [0, 2, 1, 3]);
    };
    const q = byHead(linear(x, `${name}.to_q`));
    const k = byHead(linear(keys, `${name}.to_k`));
    const v = byHead(linear(keys, `${name}.to_v`));
    let scores = ops.scaled(ops.matmulNT(q, k), headDim ** -0.5);
    if (masked) {
      const { shape } = scores;
      scores = reshape(add(reshape(scores, [batch, windows, heads, perWindow, perWindow]), data.bias), shape);
    }
    const y = transpose(ops.matmul(ops.softmax(scores), v), [0, 2, 1, 3]);
    return linear(reshape(y, x.shape), `${name}.to_out.0`);
  };

  const patches = transpose(reshape(data.x, [batch, channels, grid, patch, grid, patch]), [0, 2, 4, 1, 3, 5]);
  const embedded = ops.linear(
    reshape(patches, [batch * tokens, channels * patch * patch]),
    reshape(w["pos_embed.proj.weight"], [width, channels * patch * patch]),
    w["pos_embed.proj.bias"],
  );
  const tokensOf = add(reshape(embedded, [batch, tokens, width]), data.positions);
  const embedder = "adaln_single.emb.timestep_embedder.";
  const conditioning = linear(ops.silu(linear(data.time, `${embedder}linear_1`)), `${embedder}linear_2`);
  const six = reshape(linear(ops.silu(conditioning), "adaln_single.linear"), [batch, 6, width]);
  const text = linear(ops.gelu(linear(data.caption, "caption_projection.linear_1")), "caption_projection.linear_2");

  const proxies = model === "ptdit";
  const [groups, length] = proxies ? [windows, perWindow] : [1, tokens];
  const grouped = (y) => reshape(y, [batch, groups, length, width]);
  const flat = (y) => reshape(y, [batch, tokens, width]);
  let x = proxies ? toWindows(tokensOf) : grouped(tokensOf);
  for (let i = 0; i < depth; i++) {
    const block = `transformer_blocks.${i}.`;
    const [shift1, scale1, gate1, shift2, scale2, gate2] = modulations(w[`${block}scale_shift_table`], six, 6);
    if (proxies) {
      const means = ops.mean(x, 2);
      const proxy = add(means, attention(`${block}proxy_attn1`, ops.norm(means)));
      const seen = attention(`${block}pvisual_attn2`, ops.norm(flat(x)), ops.norm(proxy));
      x = add(x, grouped(linear(seen, `${block}linear_1_visual`)));
    }
    const own = attention(`${block}attn1`, reshape(modulated(x, scale1, shift1), [batch * groups, length, width]));
    x = add(x, mul(gate1, grouped(own)));
    if (proxies) {
      const [shift3, scale3, gate3] = modulations(w[`${block}proxy_scale_shift_table`], slice(six, 1, 0, 3), 3);
      const moved = reshape(modulated(shiftedWindows(x, -1), scale3, shift3), [batch * windows, perWindow, width]);
      const back = shiftedWindows(grouped(attention(`${block}attn3`, moved, undefined, true)), 1);
      x = add(x, linear(mul(gate3, back), `${block}linear_2`));
    }
    x = add(x, grouped(attention(`${block}attn2`, flat(x), text)));
    const hidden = ops.gelu(linear(modulated(x, scale2, shift2), `${block}ff.net.0.proj`));
    x = add(x, mul(gate2, linear(hidden, `${block}ff.net.2`)));
  }
  const [shift, scale] = modulations(w.scale_shift_table, reshape(conditioning, [batch, 1, width]), 2);
  const y = linear(modulated(x, scale, shift), "proj_out");
  const pixels = proxies ? fromWindows(y, y.shape.at(-1)) : y;
  const planes = transpose(reshape(pixels, [batch, grid, grid, patch, patch, 2 * channels]), [0, 5, 1, 3, 2, 4]);
  return reshape(slice(planes, 1, 0, channels), [batch, channels, grid * patch, grid * patch]);
}

/** Mean squared error of the prediction against the velocity x0 - noise. */
export function lossOf(ops, w, data, sizes, model) {
  const difference = ops.sub(predict(ops, w, data, sizes, model), ops.sub(data.x0, data.noise));
  return ops.mean(ops.reshape(ops.mul(difference, difference), [-1]), 0);
}
