/** Where a run's pictures come from, so that they can be loaded again. */
import { type CaptionKind, captionKinds } from "../data/richCaptions.js";
import { finite, type Refuse, record, shown, trueOrFalse } from "./jsonParts.js";

export interface DataSource {
  /** As the command line names it, a folder by its absolute path. */
  readonly data: string;
  /** Whether the folder's sub-folders count too. */
  readonly recursive?: boolean;
  /** What captions are made of; without it, as in runs of earlier versions, names. */
  readonly captions?: CaptionKind;
}

/** Known pictures that are learned again among new ones (see `RehearsedSet`). */
export interface Rehearsal {
  /** Of every batch. */
  readonly part: number;
  readonly sets: readonly DataSource[];
}

/** All pictures of a run. */
export interface RunSource extends DataSource {
  readonly rehearsal?: Rehearsal;
}

/** What of an object says where pictures come from. */
export const sourceOf = ({ data, recursive, captions, rehearsal }: RunSource): RunSource => ({
  data,
  ...(recursive && { recursive }),
  ...(captions && { captions }),
  ...(rehearsal && { rehearsal }),
});

/** A source as a file holds it; `path` goes before its parts' names in errors. */
export function readSource(json: Readonly<Record<string, unknown>>, path: string, refuse: Refuse): DataSource {
  const { data, recursive } = json;
  if (typeof data !== "string" || data === "") return refuse(`"${path}data" must be a name, got ${shown(data)}`);
  const captions = captionKinds.find((known) => known === json.captions);
  if (json.captions !== undefined && captions === undefined)
    return refuse(`"${path}captions" must be ${captionKinds.join(" or ")}, got ${shown(json.captions)}`);
  return {
    data,
    ...(recursive !== undefined && { recursive: trueOrFalse(recursive, `${path}recursive`, refuse) }),
    ...(captions !== undefined && { captions }),
  };
}

/** A rehearsal as a file holds it. */
export function readRehearsal(value: unknown, refuse: Refuse): Rehearsal {
  const { part: given, sets } = record(value, "rehearsal", refuse);
  const part = finite(given, "rehearsal.part", refuse);
  if (!(part > 0 && part < 1)) refuse(`"rehearsal.part" must lie between 0 and 1, got ${part}`);
  if (!Array.isArray(sets) || sets.length === 0)
    return refuse(`"rehearsal.sets" must be a list of data sets, got ${shown(sets)}`);
  return { part, sets: sets.map((set) => readSource(record(set, "rehearsal.sets", refuse), "rehearsal.sets.", refuse)) };
}
