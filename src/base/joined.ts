interface Settable {
  set(part: ArrayLike<number>, at: number): void;
}

/** Numbers one after the other, in an array that `make` makes for as many. */
export function joinedIn<A extends Settable>(make: (length: number) => A, parts: readonly ArrayLike<number>[]): A {
  const whole = make(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes one after the other. */
export const joined = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  joinedIn((length) => new Uint8Array(length), parts);
