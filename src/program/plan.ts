/** A stretch of a block's memory and its life: calls `first`..`last` use it. */
export interface Part {
  /** Element of the block at which it begins. */
  readonly start: number;
  readonly elements: number;
  readonly first: number;
  readonly last: number;
}

/** Memory that lies in one piece, though parts of it may come and go at times of their own. */
export interface Block {
  readonly elements: number;
  readonly parts: readonly Part[];
}

export interface Place {
  /** Which of the arenas. */
  readonly arena: number;
  readonly offset: number;
}

export interface Plan {
  /** The place of every block, in the order given. */
  readonly places: readonly Place[];
  /** Elements of every arena. */
  readonly arenas: readonly number[];
}

/** A placed part: elements `start`..`end` during calls `first`..`last`. */
interface Placed {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** Blocks of less than this part of the largest are placed whole: their steps would be in the way of others rather than filled. */
const worthSteps = 100;

/** A block whose parts all live as long as any of them. */
function whole({ elements, parts }: Block): Block {
  const [first, last] = [Math.min(...parts.map((part) => part.first)), Math.max(...parts.map((part) => part.last))];
  return { elements, parts: [{ start: 0, elements, first, last }] };
}

/**
 * Places blocks in arenas of at most `largest` elements so that no two that live at the same time overlap: largest first, of equals the last,
 * each into the lowest gap that those already placed leave free; blocks of several parts before all others, which then fill their steps. Blocks start at whole multiples of `alignment` elements. One that is larger than any arena has one to itself.
 * @source Pisarchyk and Lee, arXiv 2001.03288 (greedy by size)
 */
export function planArenas(given: readonly Block[], alignment: number, largest = Number.POSITIVE_INFINITY): Plan {
  const most = given.reduce((size, { elements }) => Math.max(size, elements), 0);
  const blocks = given.map((block) => (block.elements * worthSteps < most ? whole(block) : block));
  const isStepped = ({ parts }: Block) => Number(parts.length > 1);
  const order = blocks.map((_, i) => i);
  order.sort((a, b) => {
    const [x, y] = [blocks[a], blocks[b]];
    return isStepped(y) - isStepped(x) || y.elements - x.elements || b - a;
  });
  const places = new Array<Place>(blocks.length).fill({ arena: 0, offset: 0 });
  const arenas: Arena[] = [];
  for (const index of order) {
    const block = blocks[index];
    const aligned = Math.ceil(block.elements / alignment) * alignment;
    let arena = 0;
    let offset = 0;
    for (; arena < arenas.length; arena++) {
      offset = arenas[arena].offsetFor(block, alignment);
      if (offset + aligned <= largest) break;
    }
    if (arena === arenas.length) {
      arenas.push(new Arena());
      offset = 0;
    }
    arenas[arena].put(block, offset, aligned);
    places[index] = { arena, offset };
  }
  return { places, arenas: arenas.map(({ elements }) => elements) };
}

class Arena {
  elements = 0;
  /** By where they start, so that gaps are found in one sweep. */
  private readonly placed: Placed[] = [];

  offsetFor(block: Block, alignment: number): number {
    const [only] = block.parts;
    return block.parts.length === 1 ? this.lowestGap(only, block.elements, alignment) : this.lowestFit(block, alignment);
  }

  put({ parts, elements }: Block, offset: number, aligned: number): void {
    this.elements = Math.max(this.elements, offset + aligned);
    for (const { start, elements: length, first, last } of parts) {
      // What rounds the block up belongs to its last part.
      const end = offset + (start + length === elements ? aligned : start + length);
      const own = { start: offset + start, end, first, last };
      this.placed.splice(insertAt(this.placed, own.start), 0, own);
    }
  }

  private lowestGap({ first, last }: Part, elements: number, alignment: number): number {
    const up = (at: number) => Math.ceil(at / alignment) * alignment;
    const size = up(elements);
    let cursor = 0;
    for (const other of this.placed) {
      if (other.last < first || other.first > last) continue;
      if (other.start - cursor >= size) break;
      if (other.end > cursor) cursor = up(other.end);
    }
    return cursor;
  }

  /** Few blocks have several parts, and they are placed first: every offset at which a part would follow a placed one is tried. */
  private lowestFit({ parts }: Block, alignment: number): number {
    const up = (at: number) => Math.ceil(at / alignment) * alignment;
    const candidates = new Set([0]);
    for (const { end } of this.placed) for (const { start } of parts) if (end > start) candidates.add(up(end - start));
    for (const offset of [...candidates].sort((a, b) => a - b)) {
      const fits = parts.every(({ start, elements, first, last }) =>
        this.placed.every(
          (other) =>
            other.last < first || other.first > last || other.end <= offset + start || other.start >= offset + start + elements,
        ),
      );
      if (fits) return offset;
    }
    return this.elements;
  }
}

/** First place in `placed` (sorted by start) whose start is not below `start`. */
function insertAt(placed: readonly Placed[], start: number): number {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle].start < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
