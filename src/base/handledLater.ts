/** Keeps the engine from ending the process over a promise that is awaited in its turn: of several that end by the same fault the first
 *  says so. */
export function handledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
