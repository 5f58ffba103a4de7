import { Buffer, type View } from "../autograd/buffer.js";
import { hostData, isMade, type Tensor } from "../autograd/tensor.js";
import type { HostArray } from "../backend/host.js";

/** The constants of a program side by side, equal ones once; those not made yet are not made to be compared. */
export interface Constants {
  readonly views: ReadonlyMap<Tensor, View>;
  /** What must be written where. */
  readonly contents: readonly (View & { readonly constant: Tensor })[];
  /** One of each element type, where there are any. */
  readonly buffers: readonly Buffer[];
}

/** Gives every constant a place that is a whole multiple of `alignment` elements. */
export function layOutConstants(constants: readonly Tensor[], alignment: number): Constants {
  const views = new Map<Tensor, View>();
  const contents: (View & { readonly constant: Tensor })[] = [];
  const buffers: Buffer[] = [];
  for (const type of ["f32", "i32"] as const) {
    const own = constants.filter(({ dtype }) => dtype === type);
    const places: { readonly constant: Tensor; readonly offset: number }[] = [];
    const byDigest = new Map<string, number[]>();
    let elements = 0;
    const placeOf = own.map((constant) => {
      const alike = isMade(constant) ? listAt(byDigest, digest(hostData(constant))) : [];
      const equal = alike.find((place) => sameNumbers(hostData(places[place].constant), hostData(constant)));
      if (equal !== undefined) return equal;
      const place = places.push({ constant, offset: elements }) - 1;
      elements += Math.ceil(constant.size / alignment) * alignment;
      alike.push(place);
      return place;
    });
    if (own.length === 0) continue;
    const buffer = new Buffer("constants", type, elements, "constants");
    buffers.push(buffer);
    own.forEach((tensor, i) => views.set(tensor, { buffer, offset: places[placeOf[i]].offset }));
    for (const { constant, offset } of places) contents.push({ buffer, offset, constant });
  }
  return { views, contents, buffers };
}

/** The list of that name, a new one if there is none. */
function listAt(lists: Map<string, number[]>, name: string): number[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

/** Tells most that differ apart: their length, and sums of their numbers that know the order. */
function digest(data: HostArray): string {
  let [sum, weighted] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    sum += data[i];
    weighted += data[i] * ((i % 251) + 1);
  }
  return `${data.length} ${sum} ${weighted}`;
}

/** Bit for bit: 0 and -0 are two, and NaN is itself. */
const sameNumbers = (a: HostArray, b: HostArray): boolean =>
  a === b || (a.length === b.length && a.every((x: number, i: number) => Object.is(x, b[i])));
