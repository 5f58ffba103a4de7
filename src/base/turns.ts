import { DeviceError } from "./errors.js";

/** Somebody who waits to be let in. */
interface Waiting {
  readonly enter: () => void;
  readonly refuse: (error: DeviceError) => void;
}

/**
 * The life of an object that owns memory: calls take turns in the order they came, and once it is disposed of nobody is let in.
 * The call whose turn it is ends in peace: the memory goes when it is done.
 */
export class Turns {
  private taken = false;
  private disposed = false;
  private readonly queue: Waiting[] = [];
  /** Gives the memory back, once the call under way is done. */
  private free: (() => void) | undefined;

  constructor(
    /** What errors call the object. */
    private readonly name: string,
    /** What to do once it is disposed of. */
    private readonly cure: string,
  ) {}

  /** Whether a call is under way, so that another would wait. */
  get busy(): boolean {
    return this.taken;
  }

  /**
   * Takes a turn: undefined when it begins at once, else a promise of its begin. Whoever was let in calls `leave`.
   * Leaves no garbage where nobody waits: a training step goes through here.
   * @throws DeviceError when the object is disposed of
   */
  enter(): Promise<void> | undefined {
    this.check();
    if (this.taken) return new Promise((enter, refuse) => this.queue.push({ enter, refuse }));
    this.taken = true;
    return undefined;
  }

  /** Ends a turn; the next in the queue is let in. */
  leave(): void {
    const next = this.queue.shift();
    if (next) {
      next.enter();
      return;
    }
    this.taken = false;
    this.free?.();
    this.free = undefined;
  }

  /** Does a job in a turn of its own. */
  async take<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.enter();
    if (turn) await turn;
    try {
      return await job();
    } finally {
      this.leave();
    }
  }

  /** @throws DeviceError when the object is disposed of */
  check(): void {
    if (this.disposed) throw this.error("was disposed of");
  }

  /** For calls that cannot wait.
   *  @throws DeviceError when the object is disposed of, or a call is under way */
  checkIdle(call: string): void {
    this.check();
    if (this.taken) throw new DeviceError(`${call}: another call of this ${this.name} is under way. Await it first.`);
  }

  /** Disposes of the object: refuses who waits, and gives the memory back by `free` as soon as nobody is inside. Again it does nothing. */
  dispose(free: () => void): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const { refuse } of this.queue.splice(0)) refuse(this.error("was disposed of while this call waited for its turn"));
    if (this.taken) this.free = free;
    else free();
  }

  private error(fate: string): DeviceError {
    return new DeviceError(`${this.name}: it ${fate}, and its memory is given back. ${this.cure}`);
  }
}
