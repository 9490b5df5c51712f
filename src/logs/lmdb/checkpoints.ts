import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  write,
  writeSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { type Checkpoint, encodeCheckpoint, META_BYTES, SLOT_BYTES } from "./checkpoint.ts"
import { checksumOf, FILES, readMetas } from "./folder.ts"
import { bootId } from "./machine.ts"
import type { Store } from "./store.ts"

const syncFile = promisify(fdatasync)
const writeFile = promisify(write)

const NO_METAS = [Buffer.alloc(META_BYTES), Buffer.alloc(META_BYTES)] as const

/** Makes an empty folder one in which a log is being made: what is there is taken for nothing until `start`. */
export function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of [FILES.data, "lock.mdb"]) rmSync(join(folder, name), { force: true })
  const file = openSync(join(folder, FILES.checkpoints), "w")
  try {
    const creating = {
      state: "creating",
      sync: false,
      isEpochDue: false,
      boot: bootId(),
      dataBytes: 0,
      pageBytes: 0,
    } as const
    for (const sequence of [0, 1]) {
      writeSync(
        file,
        encodeCheckpoint({ sequence, ...creating, metas: NO_METAS }),
        0,
        SLOT_BYTES,
        sequence * SLOT_BYTES,
      )
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  syncFolder(folder)
  syncFolder(dirname(folder))
}

/** Puts the data file back to the last checkpoint. To be called before LMDB opens it. */
export function restore(folder: string, { metas, pageBytes }: Checkpoint): void {
  const file = openSync(join(folder, FILES.data), "r+")
  try {
    for (const [index, meta] of metas.entries()) writeSync(file, meta, 0, META_BYTES, index * pageBytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes checkpoints of an open store; see checkpoint.ts for what they are. */
export class Checkpoints {
  readonly #store: Store
  readonly #sync: boolean
  readonly #data: number
  readonly #file: number
  #sequence: number
  #dataBytes = 0
  #unpin: () => void = () => undefined

  constructor(
    folder: string,
    store: Store,
    { sequence, sync }: { readonly sequence: number; readonly sync: boolean },
  ) {
    this.#store = store
    this.#sync = sync
    this.#sequence = sequence
    this.#data = openSync(join(folder, FILES.data), "r+")
    this.#file = openSync(join(folder, FILES.checkpoints), "r+")
  }

  /** By how many bytes the file has grown since the last checkpoint was begun. */
  get growth(): number {
    return fstatSync(this.#data).size - this.#dataBytes
  }

  /** Makes a checkpoint of what is committed. No other may be under way. */
  async make(): Promise<void> {
    const [slot, position, unpin] = this.#prepare("open", false)
    try {
      await syncFile(this.#data)
      await writeFile(this.#file, slot, 0, SLOT_BYTES, position)
      await syncFile(this.#file)
    } catch (error) {
      unpin()
      throw error
    }
    this.#replacePin(unpin)
  }

  /** The same at once, for the beginning and the end, where nobody waits. */
  makeNow(state: "open" | "closed", isEpochDue = false): void {
    const [slot, position, unpin] = this.#prepare(state, isEpochDue)
    try {
      fdatasyncSync(this.#data)
      writeSync(this.#file, slot, 0, SLOT_BYTES, position)
      fdatasyncSync(this.#file)
    } catch (error) {
      unpin()
      throw error
    }
    this.#replacePin(unpin)
  }

  /**
   * Tries whether the data file can grow. LMDB does not say why a write failed: a full disk shows as an input/output
   * error.
   * @throws the system's error, with its code
   */
  probe(): void {
    const { size } = fstatSync(this.#data)
    try {
      writeSync(this.#data, Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, size)
    } finally {
      ftruncateSync(this.#data, size)
    }
  }

  close(): void {
    this.#unpin()
    closeSync(this.#data)
    closeSync(this.#file)
  }

  #prepare(
    state: "open" | "closed",
    isEpochDue: boolean,
  ): [slot: Buffer, position: number, unpin: () => void] {
    const sequence = this.#sequence + 1
    const pageBytes = this.#store.pageBytes
    const { size: dataBytes } = fstatSync(this.#data)
    const checksum = state === "closed" ? checksumOf(this.#data, dataBytes) : undefined
    const metas = readMetas(this.#data, pageBytes)
    const slot = encodeCheckpoint({
      ...{ sequence, state, isEpochDue, sync: this.#sync, boot: bootId(), dataBytes, pageBytes, metas },
      ...(checksum === undefined ? {} : { checksum }),
    })
    const unpin = this.#store.pin()
    this.#sequence = sequence
    this.#dataBytes = dataBytes
    return [slot, (sequence % 2) * SLOT_BYTES, unpin]
  }

  #replacePin(unpin: () => void): void {
    this.#unpin()
    this.#unpin = unpin
  }
}

const PROBE_BYTES = 256 * 1024

/** Makes new names in a folder last. Not all systems can, or need to. */
function syncFolder(folder: string): void {
  let file: number | undefined
  try {
    file = openSync(folder, "r")
    fsyncSync(file)
  } catch {
    // As on Windows, where a folder cannot be opened.
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
