/** What a job gives: done when it is first asked for, and once. */
export function once<T>(job: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= job();
    return result;
  };
}
