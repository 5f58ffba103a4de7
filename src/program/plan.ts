/** A buffer's life in a program: calls `first`..`last` use it. */
export interface Life {
  readonly elements: number;
  readonly first: number;
  readonly last: number;
}

export interface Plan {
  /** Element offset of every buffer, in the order given. */
  readonly offsets: readonly number[];
  readonly elements: number;
}

/**
 * Places buffers in one arena so that no two that live at the same time overlap: largest first, each into the tightest gap
 * that the neighbours already placed leave free. Buffers start at whole multiples of `alignment` elements.
 * @source Pisarchyk and Lee, arXiv 2001.03288 (greedy by size)
 */
export function planArena(lives: readonly Life[], alignment: number): Plan {
  const order = lives.map((_, i) => i).sort((a, b) => at(lives, b).elements - at(lives, a).elements || a - b);
  const offsets = new Array<number>(lives.length).fill(0);
  // Placed buffers by offset, so that gaps are found in one sweep.
  const placed: { start: number; end: number; first: number; last: number }[] = [];
  let elements = 0;
  for (const index of order) {
    const { elements: length, first, last } = at(lives, index);
    const size = Math.ceil(length / alignment) * alignment;
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    let cursor = 0;
    for (const other of placed) {
      if (other.last < first || other.first > last) continue;
      const gap = other.start - cursor;
      if (gap >= size && gap < bestGap) {
        best = cursor;
        bestGap = gap;
      }
      if (other.end > cursor) cursor = other.end;
    }
    const start = best >= 0 ? best : cursor;
    offsets[index] = start;
    elements = Math.max(elements, start + size);
    placed.splice(insertAt(placed, start), 0, { start, end: start + size, first, last });
  }
  return { offsets, elements };
}

function at(lives: readonly Life[], index: number): Life {
  return lives[index];
}

/** First place in `placed` (sorted by start) whose start is not below `start`. */
function insertAt(placed: readonly { start: number }[], start: number): number {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle].start < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
