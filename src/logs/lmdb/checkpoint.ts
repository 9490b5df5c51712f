import { createHash } from "node:crypto"

/**
 * LMDB's file is only whole on disk after a sync. To wait for one with each transaction would be slow, and not to sync
 * leaves a file that a crash of the machine may have written in any order. So from time to time everything committed is
 * synced, and then what leads to it, the two meta pages, is kept here; a reader's lock keeps the pages below them from
 * being overwritten until the next checkpoint. After a crash of the machine, the meta pages are put back.
 */
export interface Checkpoint {
  /** Which of two checkpoints is the later one. */
  readonly sequence: number
  /** `creating` until the file is whole for the first time; `closed` when nothing was committed since. */
  readonly state: "creating" | "open" | "closed"
  /** Whether entries were acknowledged only when they were in a checkpoint. */
  readonly sync: boolean
  /** A new epoch has to begin before anything is appended. */
  readonly isEpochDue: boolean
  /** The start of the machine in which it was made. */
  readonly boot: string
  /** How large the data file was. It never shrinks. */
  readonly dataBytes: number
  readonly pageBytes: number
  /** When closed: a checksum of the data file, if that is not too large. */
  readonly checksum?: number
  /** The beginnings of the two meta pages. */
  readonly metas: readonly [Uint8Array, Uint8Array]
}

/** The version of all that is in the folder. */
export const FORMAT = 3
const MAGIC = "holdfast log"

/** Both checkpoints are kept, each in its slot, so that one is whole at any moment. */
export const SLOT_BYTES = 4096
const DIGEST_BYTES = 32

/** A meta page's header and content (`MDB_page_header` and `MDB_meta` of LMDB's format 2 as lmdb 3.x writes it). */
export const META_BYTES = 168

export function encodeCheckpoint({ metas, ...header }: Checkpoint): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES)
  const text = Buffer.from(JSON.stringify({ magic: MAGIC, format: FORMAT, ...header }))
  slot.writeUInt32LE(text.length, DIGEST_BYTES)
  let end = DIGEST_BYTES + 4 + text.copy(slot, DIGEST_BYTES + 4)
  for (const meta of metas) {
    slot.set(meta, end)
    end += META_BYTES
  }
  digestOf(slot).copy(slot)
  return slot
}

/** What a slot holds: nothing when it is damaged or was never written; the format when it is another one. */
export function decodeCheckpoint(slot: Buffer): Checkpoint | { readonly format: unknown } | undefined {
  if (slot.length !== SLOT_BYTES || !digestOf(slot).equals(slot.subarray(0, DIGEST_BYTES))) return undefined
  const start = DIGEST_BYTES + 4
  const end = start + slot.readUInt32LE(DIGEST_BYTES)
  const { magic, format, ...header } = JSON.parse(slot.toString("utf8", start, end))
  if (magic !== MAGIC) return undefined
  if (format !== FORMAT) return { format }
  const metas = [slot.subarray(end, end + META_BYTES), slot.subarray(end + META_BYTES, end + 2 * META_BYTES)]
  return { ...header, metas } as Checkpoint
}

function digestOf(slot: Buffer): Buffer {
  return createHash("sha256").update(slot.subarray(DIGEST_BYTES)).digest()
}
