/** Which calls touch the same memory, be it planned or that of a device. */
import type { Slot } from "../device.js";
import type { Locate, Location } from "../target.js";

/** A stretch of memory. */
interface Stretch extends Location {
  readonly elements: number;
}

export const isSamePlace = (a: Location, b: Location): boolean => a.memory === b.memory && a.offset === b.offset;

/** Whether two stretches have an element in common. */
export const meet = (a: Stretch, b: Stretch): boolean =>
  a.memory === b.memory && a.offset < b.offset + b.elements && b.offset < a.offset + a.elements;

/** Whether a stretch lies within another. */
export const within = (a: Stretch, b: Stretch): boolean =>
  a.memory === b.memory && a.offset >= b.offset && a.offset + a.elements <= b.offset + b.elements;

/** Where the slots of a device are. */
export const ofSlots: Locate<Slot> = ({ storage, offset }) => ({ memory: storage, offset });
