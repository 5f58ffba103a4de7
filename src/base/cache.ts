/** Keeps texts for later programs of this person: they may be gone then. */
export interface Cache {
  /** Keeps nothing where there is no place for it.
   *  @throws FileError where there is one, and it refuses */
  keep(name: string, text: string): Promise<void>;
  /** What was kept under a name, if it is there. */
  recall(name: string): Promise<string | undefined>;
}
