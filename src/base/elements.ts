/** Types of numbers in memory, and the bytes one takes. */
export const elementBytes = { f32: 4, i32: 4, f16: 2, i8: 1 } as const;
export type ElementType = keyof typeof elementBytes;

/** Those of tensors: `f32` numbers (float64 on the reference device); `i32` whole numbers: indices, labels, token ids. */
export type DType = Extract<ElementType, "f32" | "i32">;
