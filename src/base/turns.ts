import { DeviceError } from "./errors.js";

/** Somebody who waits to be let in. */
interface Waiting {
  readonly shares: boolean;
  readonly enter: () => void;
  readonly refuse: (error: DeviceError) => void;
}

/**
 * The life of an object that owns memory: calls take turns in the order they came, and once it is disposed of nobody is let in.
 * Calls that share may be inside together, up to so many; all others are alone. Those inside end in peace: the memory goes when they
 * are done.
 */
export class Turns {
  private inside = 0;
  /** Whether the call inside is one that does not share. */
  private alone = false;
  private disposed = false;
  private readonly queue: Waiting[] = [];
  /** Gives the memory back, once all inside are done. */
  private free: (() => void) | undefined;

  constructor(
    /** What errors call the object. */
    private readonly name: string,
    /** What to do once it is disposed of. */
    private readonly cure: string,
    /** Calls that may share a turn. */
    private readonly most = 1,
  ) {}

  /** Whether a call that came now would wait. */
  waits(shares = false): boolean {
    return this.queue.length > 0 || !this.admits(shares);
  }

  /**
   * Takes a turn: undefined when it begins at once, else a promise of its begin. Whoever was let in calls `leave`.
   * Leaves no garbage where nobody waits: a training step goes through here.
   * @throws DeviceError when the object is disposed of
   */
  enter(shares = false): Promise<void> | undefined {
    this.check();
    if (this.waits(shares)) return new Promise((enter, refuse) => this.queue.push({ shares, enter, refuse }));
    this.admit(shares);
    return undefined;
  }

  /** Ends a turn; the next in the queue are let in. */
  leave(): void {
    this.inside--;
    for (let next = this.queue.at(0); next && this.admits(next.shares); next = this.queue.at(0)) {
      this.queue.shift();
      this.admit(next.shares);
      next.enter();
    }
    if (this.inside > 0) return;
    this.free?.();
    this.free = undefined;
  }

  /** Does a job in a turn of its own. */
  take<T>(job: () => Promise<T>): Promise<T> {
    return this.during(false, job);
  }

  /** Does a job beside others that share. */
  share<T>(job: () => Promise<T>): Promise<T> {
    return this.during(true, job);
  }

  private async during<T>(shares: boolean, job: () => Promise<T>): Promise<T> {
    const turn = this.enter(shares);
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
    if (this.inside > 0) throw new DeviceError(`${call}: another call of this ${this.name} is under way. Await it first.`);
  }

  /** Disposes of the object: refuses who waits, and gives the memory back by `free` as soon as nobody is inside. Again it does nothing. */
  dispose(free: () => void): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const { refuse } of this.queue.splice(0)) refuse(this.error("was disposed of while this call waited for its turn"));
    if (this.inside > 0) this.free = free;
    else free();
  }

  private admits(shares: boolean): boolean {
    return this.inside === 0 || (shares && !this.alone && this.inside < this.most);
  }

  private admit(shares: boolean): void {
    this.inside++;
    this.alone = !shares;
  }

  private error(fate: string): DeviceError {
    return new DeviceError(`${this.name}: it ${fate}, and its memory is given back. ${this.cure}`);
  }
}
