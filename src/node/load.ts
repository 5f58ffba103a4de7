import { resolve } from "node:path";
import { ConfigError } from "../base/errors.js";
import { checkValue, oneOf } from "../base/options.js";
import { PictureSet } from "../data/pictureSet.js";
import { joinedSets, RehearsedSet } from "../data/rehearsal.js";
import { captionKinds } from "../data/richCaptions.js";
import type { DataSource, RunSource } from "../ptdit/dataSource.js";
import { emojiSets, isEmojiSet, loadEmoji } from "./emoji.js";
import { type FolderOptions, loadFolder } from "./folder.js";

export interface LoadOptions extends FolderOptions {
  /** Side of the pictures in pixels. */
  readonly size?: number;
}

/**
 * Loads a data set by what the command line calls it: `emoji`, `emoji:core`, `emoji:64`, or a folder of pictures.
 * @throws ConfigError when there is no such set, the folder holds no usable picture, or a package is missing
 */
export async function loadDataset(spec: string, { size = 32, ...folder }: LoadOptions = {}): Promise<PictureSet> {
  if (!Number.isInteger(size) || size < 1 || size > 4096) {
    throw new ConfigError(`data: the side of a picture must be a whole number of pixels from 1 to 4096, got ${size}.`);
  }
  if (folder.captions !== undefined) checkValue("data", "captions", folder.captions, oneOf(...captionKinds));
  if (isEmojiSet(spec)) return loadEmoji(spec, size, folder.captions);
  if (spec.startsWith("emoji:")) {
    throw new ConfigError(`data: there is no set "${spec}". Choose ${emojiSets.join(", ")}, or a folder of pictures.`);
  }
  return loadFolder(spec, size, folder);
}

/** Loads the pictures of a run, or of a part of it, by what its description says of them. */
export const loadSource = ({ data, recursive = false, captions = "name" }: DataSource, size: number): Promise<PictureSet> =>
  loadDataset(data, { size, recursive, captions });

/** Several as one. */
export async function loadSources(sources: readonly DataSource[], size: number): Promise<PictureSet> {
  const sets: PictureSet[] = [];
  for (const source of sources) sets.push(await loadSource(source, size));
  return sets.length === 1 ? sets[0] : new PictureSet(joinedSets(sources.map(({ data }) => data).join(" and "), sets));
}

/** All pictures of a run: its own, with those that it rehearses among them if it does. */
export async function loadRunPictures({ rehearsal, ...own }: RunSource, size: number): Promise<PictureSet> {
  const pictures = await loadSource(own, size);
  return rehearsal ? new RehearsedSet(pictures, await loadSources(rehearsal.sets, size), rehearsal.part) : pictures;
}

/** What a data set is called wherever one looks from: a folder by its absolute path, whatever way it was typed. */
export const datasetName = (spec: string): string =>
  isEmojiSet(spec) || spec.startsWith("emoji:") || spec === "" ? spec : resolve(spec);
