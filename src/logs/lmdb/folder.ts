import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { HoldfastError } from "../../protocol/error.ts"
import { type Checkpoint, decodeCheckpoint, FORMAT, META_BYTES, SLOT_BYTES } from "./checkpoint.ts"
import { bootId, isSameBoot } from "./machine.ts"

/** The files of a log. LMDB adds `lock.mdb`, the writer `writer.lock`. */
export const FILES = { data: "data.mdb", checkpoints: "checkpoints" } as const

/** What a folder was found to hold. Finding out changes nothing in it. */
export type Found =
  /** Nothing, or what is left of a log that was not made to the end. */
  | { readonly state: "empty" }
  | {
      readonly state: "log"
      readonly checkpoint: Checkpoint
      /** The machine has crashed since: what is in the file beside the checkpoint cannot be relied on. */
      readonly isRestoreDue: boolean
    }

/**
 * Looks into the folder.
 * @throws HoldfastError `log_unusable` when it holds something else, is damaged, or of another version
 */
export function inspect(folder: string): Found {
  const names = namesIn(folder)
  if (!names.includes(FILES.checkpoints)) {
    // Files of the system, such as .DS_Store or lost+found, do not make a folder somebody else's.
    const foreign = names.find(
      (name) => !name.startsWith(".") && name !== "lost+found" && name !== "writer.lock",
    )
    if (foreign === undefined) return { state: "empty" }
    throw unusable(folder, `holds other files (${foreign}) and no log`)
  }
  for (;;) {
    const checkpoint = latestCheckpoint(folder)
    if (checkpoint.state === "creating") return { state: "empty" }
    const isRestoreDue = checkpoint.state === "open" && !isSameBoot(checkpoint.boot, bootId())
    try {
      checkData(folder, checkpoint, isRestoreDue)
      return { state: "log", checkpoint, isRestoreDue }
    } catch (error) {
      // It may have been opened, and written to, while it was looked at.
      if (latestCheckpoint(folder).sequence === checkpoint.sequence) throw error
    }
  }
}

/** A data file up to this size is read as a whole when it is closed and opened, to see that it is still the same. */
const CHECKED_BYTES_MAX = 256 * 1024 * 1024
const PIECE_BYTES = 1024 * 1024

/** A checksum of the first `bytes` of the data file; undefined when that is more than can be read in passing. */
export function checksumOf(file: number, bytes: number): number | undefined {
  if (bytes > CHECKED_BYTES_MAX) return undefined
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  let checksum = 0
  for (let position = 0; position < bytes; ) {
    const length = readSync(file, piece, 0, Math.min(PIECE_BYTES, bytes - position), position)
    if (length === 0) break
    checksum = crc32(piece.subarray(0, length), checksum)
    position += length
  }
  return checksum
}

/** The beginnings of the data file's two meta pages. */
export function readMetas(file: number, pageBytes: number): readonly [Buffer, Buffer] {
  const meta = (position: number): Buffer => {
    const bytes = Buffer.alloc(META_BYTES)
    readSync(file, bytes, 0, META_BYTES, position)
    return bytes
  }
  return [meta(0), meta(pageBytes)]
}

export function unusable(folder: string, why: string): HoldfastError {
  return new HoldfastError("log_unusable", `The folder ${folder} ${why}. It was left as it is.`)
}

function namesIn(folder: string): string[] {
  try {
    if (!statSync(folder).isDirectory()) throw unusable(folder, "is a file, not a folder")
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  }
}

function latestCheckpoint(folder: string): Checkpoint {
  const slots = readSlots(join(folder, FILES.checkpoints)).map(decodeCheckpoint)
  const other = slots.find((slot) => slot !== undefined && "format" in slot)
  if (other !== undefined && "format" in other) {
    throw unusable(folder, `holds a log of format ${other.format}; this is a version for format ${FORMAT}`)
  }
  const [latest] = slots
    .filter((slot): slot is Checkpoint => slot !== undefined)
    .sort((a, b) => b.sequence - a.sequence)
  if (latest === undefined)
    throw unusable(folder, `holds a damaged log: no checkpoint in ${FILES.checkpoints} is whole`)
  return latest
}

function readSlots(path: string): Buffer[] {
  return withFile(path, (file) =>
    [0, 1].map((index) => {
      const slot = Buffer.alloc(SLOT_BYTES)
      const length = readSync(file, slot, 0, SLOT_BYTES, index * SLOT_BYTES)
      return slot.subarray(0, length)
    }),
  )
}

/** LMDB takes what it finds on trust, and a file that is shorter than it should be ends the process. So look first. */
function checkData(folder: string, checkpoint: Checkpoint, isRestoreDue: boolean): void {
  const path = join(folder, FILES.data)
  try {
    withFile(path, (file) => {
      const { size } = fstatSync(file)
      if (size < checkpoint.dataBytes) {
        throw unusable(
          folder,
          `holds a damaged log: ${FILES.data} has ${size} bytes of ${checkpoint.dataBytes}`,
        )
      }
      if (isRestoreDue) return
      const metas = readMetas(file, checkpoint.pageBytes)
      if (!checkpoint.metas.every((kept, index) => isSameFormat(kept, metas[index] as Buffer))) {
        throw unusable(folder, `holds a damaged log: the beginning of ${FILES.data} is not what was written`)
      }
      if (checkpoint.state === "closed" && !isAsClosed(file, checkpoint, metas)) {
        throw unusable(folder, `holds a damaged log: ${FILES.data} is not what it was when it was closed`)
      }
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
    throw unusable(folder, `holds a damaged log: ${FILES.data} is missing`)
  }
}

function isAsClosed(file: number, checkpoint: Checkpoint, metas: readonly Buffer[]): boolean {
  if (!checkpoint.metas.every((kept, index) => metas[index]?.equals(kept))) return false
  return checkpoint.checksum === undefined || checkpoint.checksum === checksumOf(file, checkpoint.dataBytes)
}

/** Whether two meta pages agree in what never changes: page header, magic number, version, and size of pages. */
function isSameFormat(kept: Uint8Array, found: Buffer): boolean {
  return (
    found.subarray(0, 32).equals(kept.subarray(0, 32)) && found.subarray(48, 52).equals(kept.subarray(48, 52))
  )
}

function withFile<Result>(path: string, use: (file: number) => Result): Result {
  const file = openSync(path, "r")
  try {
    return use(file)
  } finally {
    closeSync(file)
  }
}
