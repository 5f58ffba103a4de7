/** Types of numbers in memory, and the bytes one takes. */
export const elementBytes = { f32: 4, i32: 4, f16: 2, i8: 1 } as const;
export type ElementType = keyof typeof elementBytes;
