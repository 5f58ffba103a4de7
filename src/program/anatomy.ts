/** A program laid open for those who print it or hold it against its own rules: calls, the memory they use, and when. */
import type { View } from "../autograd/buffer.js";
import { nameOf } from "../autograd/names.js";
import type { Tensor } from "../autograd/tensor.js";
import { type CallCost, callBuffers, callCost } from "../backend/calls.js";
import type { ElementType } from "../base/elements.js";
import type { Shape } from "../base/shape.js";
import {
  type Located,
  type Placement,
  type Region,
  regionsOf,
  type Stay,
  type Stretch,
  tensorAt,
  tensorsOf,
} from "./regions.js";

/** What a call reads or writes. */
export interface Operand {
  /** What the kernel calls it. */
  readonly role: string;
  readonly name: string;
  readonly home: Region["home"];
  readonly type: ElementType;
  /** The smallest tensor there that holds what the call touches; of scratch memory one axis. */
  readonly shape: Shape;
  /** Elements that the call may touch, in a row. */
  readonly elements: number;
  readonly writes: boolean;
  /** Where they are in the arena. */
  readonly place?: Stretch;
  /** The regions they belong to: several where tensors that lie side by side are used as one. */
  readonly regions: readonly Region[];
}

/** A kernel call and all it touches. */
export interface PlacedCall extends CallCost {
  readonly kernel: string;
  readonly op: string;
  readonly scope: string;
  readonly operands: readonly Operand[];
  /** What it writes over: parameters, and what lay in its part of the arena before and is dead. */
  readonly overwrites: readonly Region[];
}

/** What a program is made of. */
export interface Anatomy {
  readonly calls: readonly PlacedCall[];
  readonly intervals: number;
  /** Bytes of every arena. */
  readonly arenas: readonly number[];
  /** Everything in the arenas, in the order of its first use. */
  readonly held: readonly (Region & { readonly stay: Stay })[];
  /** What the program computes, as it was recorded: outputs, then the values that parameters take. */
  readonly roots: readonly Tensor[];
}

/** Lays a program open. */
export function anatomyOf(placement: Placement): Anatomy {
  const { lowered, plan, buffers, bytesPerElement, intervals, roots } = placement;
  const tensors = tensorsOf(placement);
  const regions = regionsOf(placement, tensors);
  const places = new Map(buffers.map((buffer, i) => [buffer, plan.places[i]]));
  const stretchOf = ({ buffer, offset }: View, elements: number): Stretch | undefined => {
    const place = places.get(buffer);
    if (!place) return undefined;
    const from = (place.offset + offset) * bytesPerElement;
    return { arena: place.arena, from, to: from + elements * bytesPerElement };
  };
  const holders = plan.arenas.map(() => new Holders());
  const calls = lowered.calls.map(({ call, op, scope }, index): PlacedCall => {
    const operands = callBuffers(call).map(({ name: role, buffer: view, type, elements, writes }): Operand => {
      const own = regions.get(view.buffer)?.filter(({ start, region }) => {
        return start < view.offset + elements && view.offset < start + region.elements;
      });
      const [first] = own ?? [];
      if (!own || !first) throw new Error(`anatomy: ${view.buffer} of call ${index} has no place`);
      const tensor = tensorAt(tensors.get(view.buffer) ?? [], view.offset, elements);
      const after = view.offset - first.start;
      const name = own.length === 1 ? `${first.region.name}${after > 0 ? `+${after}` : ""}` : joinedName(own, tensor);
      const place = stretchOf(view, elements);
      return {
        role,
        name,
        home: first.region.home,
        type: view.buffer.type === "i32" ? "i32" : type,
        shape: tensor?.shape ?? [elements],
        elements,
        writes,
        ...(place && { place }),
        regions: own.map(({ region }) => region),
      };
    });
    const written = new Set(operands.filter(({ writes }) => writes).flatMap((own) => own.regions));
    const overwrites = [...written].flatMap((region) => {
      if (region.home === "parameter") return [region];
      return region.stay?.first === index ? holders[region.stay.arena].take(region, region.stay) : [];
    });
    return { kernel: call.kernel, op, scope, ...callCost(call), operands, overwrites: [...new Set(overwrites)] };
  });
  const held = [...regions.values()]
    .flat()
    .flatMap(({ region }) => (region.stay ? [{ ...region, stay: region.stay }] : []))
    .sort((a, b) => a.stay.first - b.stay.first || a.stay.arena - b.stay.arena || a.stay.from - b.stay.from);
  return { calls, intervals, arenas: plan.arenas.map((elements) => elements * bytesPerElement), held, roots };
}

/** What is used as one is called by its own name, if it has one. */
function joinedName(parts: readonly Located[], whole: Tensor | undefined): string {
  const [first, last] = [parts[0], parts[parts.length - 1]].map(({ region }) => region.name);
  return whole && nameOf(whole) !== first ? nameOf(whole) : `${first}..${last}`;
}

/** Who holds which part of an arena. */
class Holders {
  private held: { readonly from: number; readonly to: number; readonly region: Region }[] = [];

  /** Gives a part to a region; who held some of it before. */
  take(region: Region, { from, to }: Stretch): Region[] {
    const before = this.held.filter((own) => own.from < to && from < own.to);
    const left = this.held.flatMap((own) => {
      if (!before.includes(own)) return [own];
      const parts = [
        { ...own, to: Math.min(own.to, from) },
        { ...own, from: Math.max(own.from, to) },
      ];
      return parts.filter((part) => part.from < part.to);
    });
    this.held = [...left, { from, to, region }];
    return before.map((own) => own.region);
  }
}
