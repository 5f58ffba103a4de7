/** Codes have 12 bits at most. */
const mostCodes = 4096;

/**
 * Unpacks the colour numbers of a GIF: codes of growing width, the lowest bits first, each a run seen before and one number more.
 * What is left when all numbers are there is passed over.
 * @shape -> [count]
 * @throws Error when a code means nothing yet, or the codes end early
 * @source GIF89a specification, appendix F
 */
export function unpackLzw(packed: Uint8Array, firstBits: number, count: number): Uint8Array {
  if (firstBits < 1 || firstBits > 11) throw new Error(`its colours have ${firstBits} bits`);
  const [clear, end] = [2 ** firstBits, 2 ** firstBits + 1];
  // Run `code` is run prefix[code] and the number last[code]; runs of one number are the numbers themselves.
  const prefix = new Uint16Array(mostCodes);
  const last = Uint8Array.from({ length: mostCodes }, (_, code) => code);
  const length = new Uint16Array(mostCodes).fill(1);
  const result = new Uint8Array(count);
  let [next, width, before] = [end + 1, firstBits + 1, -1];
  let [buffer, bits, at, done] = [0, 0, 0, 0];
  while (done < count) {
    for (; bits < width; bits += 8) {
      if (at === packed.length) throw new Error("its pixels end early");
      buffer |= packed[at++] << bits;
    }
    const code = buffer & (2 ** width - 1);
    buffer >>>= width;
    bits -= width;
    if (code === end) throw new Error("its pixels end early");
    if (code === clear) {
      [next, width, before] = [end + 1, firstBits + 1, -1];
      continue;
    }
    // The next run may be used as it is made: the run before, and that run's first number again.
    const isNew = code === next && before >= 0 && next < mostCodes;
    if (code > next || (code === next && !isNew) || (before < 0 && code > clear)) throw new Error("its pixels are damaged");
    const run = isNew ? before : code;
    let first = run;
    for (let place = done + length[run] - 1; ; place--) {
      if (place < count) result[place] = last[first];
      if (place === done) break;
      first = prefix[first];
    }
    const firstNumber = result[done];
    done += length[run];
    if (isNew && done < count) result[done] = firstNumber;
    if (isNew) done++;
    if (before >= 0 && next < mostCodes) {
      prefix[next] = before;
      last[next] = firstNumber;
      length[next] = length[before] + 1;
      next++;
      if (next === 2 ** width && width < 12) width++;
    }
    before = code;
  }
  return result;
}
