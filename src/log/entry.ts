/**
 * `append`: a fact, kept by count, age and bytes. The others change a key: `put` gives it a value, `extend` adds to that value,
 * `remove` takes the key away. Which facet of a channel that is, is no business of a log.
 */
export type EntryOperation = "append" | "put" | "extend" | "remove"

/** One change of a channel, as the log has it. */
export interface Entry {
  readonly offset: number
  readonly operation: EntryOperation
  /** Opaque. A collection has its own retention and floor. It holds appended facts or keys, never both. */
  readonly collection: string
  /** Opaque. Names the key that is changed; of an append any label, which need not be unique. */
  readonly key: string
  /** Opaque. `put`: the whole value. `extend`: what was added. `remove`: empty, or why. */
  readonly body: Uint8Array
  /** When it was published, ms since 1970; of an extended value, when its last piece was. */
  readonly at: number
  /** The offset at which the key was created, also of its removal; a put after a removal creates it anew. Of an append its own. */
  readonly created: number
  /** The key's version; 0 when it has none. */
  readonly version: number
  /** The node that answers for the key: that of its last put. Empty when none does, and of removals. */
  readonly holder: string
}
