/** Some of `count` places, at most so many, evenly spread. */
export const evenly = (count: number, most: number): number[] =>
  Array.from({ length: Math.min(count, most) }, (_, i) => Math.floor((i * count) / Math.min(count, most)));

/** At most so many of a list, every second, third and so on from its first. */
export const strided = <T>(list: readonly T[], most: number): T[] =>
  list.filter((_, i) => i % Math.max(1, Math.floor(list.length / most)) === 0).slice(0, most);
