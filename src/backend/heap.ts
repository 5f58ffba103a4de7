/** A free block of memory, in bytes. */
interface Block {
  start: number;
  end: number;
}

/** First-fit allocator over one growing address range. Blocks are 64-byte aligned; freed neighbours merge. */
export class Heap {
  private readonly free: Block[] = [];
  private readonly used = new Map<number, number>();
  /** Memory from here on was never handed out, and so holds zeros. */
  private freshFrom = 0;

  constructor(
    /** First address beyond what the heap has. */
    private end: number,
    /** Adds at least `bytes` to the range and returns its new end, or undefined when that is refused. */
    private readonly grow: (bytes: number) => number | undefined,
  ) {}

  /** A block of `bytes` bytes, of which the first `stale` may hold something else than zeros; undefined when the range cannot
   *  grow that far. */
  allocate(bytes: number): { readonly address: number; readonly stale: number } | undefined {
    const size = Math.max(64, Math.ceil(bytes / 64) * 64);
    let index = this.free.findIndex(({ start, end }) => end - start >= size);
    if (index < 0) {
      const end = this.grow(size);
      if (end === undefined) return undefined;
      this.insert({ start: this.end, end });
      this.end = end;
      index = this.free.length - 1;
    }
    const block = this.free[index];
    const address = block.start;
    block.start += size;
    if (block.start === block.end) this.free.splice(index, 1);
    this.used.set(address, size);
    const stale = Math.min(size, Math.max(0, this.freshFrom - address));
    this.freshFrom = Math.max(this.freshFrom, address + size);
    return { address, stale };
  }

  release(address: number): void {
    const size = this.used.get(address);
    if (size === undefined) return;
    this.used.delete(address);
    this.insert({ start: address, end: address + size });
  }

  private insert(block: Block): void {
    const next = this.free.findIndex(({ start }) => start > block.start);
    const at = next < 0 ? this.free.length : next;
    this.free.splice(at, 0, block);
    this.merge(at);
    if (at > 0) this.merge(at - 1);
  }

  private merge(index: number): void {
    const [own, next] = [this.free[index], this.free[index + 1]];
    if (own && next && own.end === next.start) {
      own.end = next.end;
      this.free.splice(index + 1, 1);
    }
  }
}
