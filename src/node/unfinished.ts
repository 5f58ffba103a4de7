/** The name of a file while it is written to the side. */
export const unfinished = (name: string): string => `.${name}.partial`;

/** The name that a file has once it is written: its own, where it is no unfinished one. */
export const finished = (name: string): string => /^\.(.+)\.partial$/.exec(name)?.[1] ?? name;
