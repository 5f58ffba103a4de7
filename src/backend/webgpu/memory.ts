/** Buffers of a GPU that hold many storages: a dispatch may bind only a few buffers. */
import { type GpuBuffer, type GpuDevice, usage } from "../../base/gpu.js";
import { Heap } from "../heap.js";

/** Where a storage lies. */
export interface Place {
  readonly buffer: GpuBuffer;
  /** @units elements */
  readonly first: number;
}

/** Storages up to a quarter of a pool share one; larger ones have buffers of their own. @units bytes */
const usualPool = 16 << 20;
/** Parts of a pool begin at whole multiples of this. @units bytes */
const poolStep = 64;

/** A buffer and what of it is handed out. */
interface Pool {
  readonly buffer: GpuBuffer;
  readonly heap: Heap;
}

/** A heap gets all of its buffer when it first asks: a buffer does not grow. */
function wholeOnce(pool: number): () => number | undefined {
  let given = false;
  return () => {
    if (given) return undefined;
    given = true;
    return pool;
  };
}

export class GpuMemory {
  private readonly pools: Pool[] = [];
  private readonly owners = new Map<Place, Pool | undefined>();
  private held = 0;

  private readonly pool: number;

  /** `largest`: bytes of a buffer that can be bound as a whole. */
  constructor(
    private readonly device: GpuDevice,
    largest: number,
  ) {
    this.pool = poolStep * Math.floor(Math.min(usualPool, largest) / poolStep);
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    return this.held;
  }

  /** Zeros, unless what is there may stay. @throws Error when the driver refuses */
  allocate(elements: number, isScratch: boolean): Place {
    const bytes = Math.max(16, Math.ceil(elements / 4) * 16);
    if (bytes > this.pool / 4) {
      const place = { buffer: this.buffer(bytes), first: 0 };
      this.owners.set(place, undefined);
      return place;
    }
    for (const own of this.pools) {
      const place = this.take(own, bytes, isScratch);
      if (place) return place;
    }
    const fresh = { buffer: this.buffer(this.pool), heap: new Heap(0, wholeOnce(this.pool)) };
    this.pools.push(fresh);
    const place = this.take(fresh, bytes, isScratch);
    if (!place) throw new Error("a new buffer has no room, which is a fault of the engine");
    return place;
  }

  release(place: Place): void {
    if (!this.owners.has(place)) return;
    const own = this.owners.get(place);
    this.owners.delete(place);
    if (own) own.heap.release(4 * place.first);
    else {
      this.held -= place.buffer.size;
      place.buffer.destroy();
    }
  }

  private take(own: Pool, bytes: number, isScratch: boolean): Place | undefined {
    const block = own.heap.allocate(bytes);
    if (!block) return undefined;
    const place = { buffer: own.buffer, first: block.address / 4 };
    this.owners.set(place, own);
    if (!isScratch && block.stale > 0) {
      const encoder = this.device.createCommandEncoder();
      encoder.clearBuffer(own.buffer, block.address, Math.min(bytes, block.stale));
      this.device.queue.submit([encoder.finish()]);
    }
    return place;
  }

  private buffer(bytes: number): GpuBuffer {
    this.held += bytes;
    return this.device.createBuffer({ size: bytes, usage: usage.storage | usage.copySource | usage.copyTarget });
  }
}
