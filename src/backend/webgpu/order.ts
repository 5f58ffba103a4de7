/**
 * The order in which a device is told what to do. While the shaders of a run compile, that run waits, and so does all that comes after it;
 * otherwise everything is done at once, without a promise.
 */
export class Order {
  private last: Promise<void> | undefined;

  /** `failed` takes what an action throws that had to wait: nobody else is there to. */
  constructor(private readonly failed: (error: unknown) => void) {}

  /** Resolves when all that waits is done; undefined where nothing does. */
  get waiting(): Promise<void> | undefined {
    return this.last;
  }

  /** Does something after all that came before, and after `ready`. Resolves when it is done; undefined where it is already. */
  tell(action: () => void, ready?: Promise<unknown>): Promise<void> | undefined {
    if (!this.last && !ready) {
      action();
      return undefined;
    }
    const own = Promise.all([this.last, ready])
      .then(action)
      .catch(this.failed)
      .then(() => {
        if (this.last === own) this.last = undefined;
      });
    this.last = own;
    return own;
  }
}
