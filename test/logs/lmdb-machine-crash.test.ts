import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Entry } from "../../src/log/entry.ts"
import type { Log } from "../../src/log/log.ts"
import type { Operation } from "../../src/log/operation.ts"
import { decodeCheckpoint, encodeCheckpoint, SLOT_BYTES } from "../../src/logs/lmdb/checkpoint.ts"
import { type LmdbLogOptions, lmdbLog } from "../../src/logs/lmdb/index.ts"
import { seeded } from "../../src/testing/seeded.ts"
import { entriesOf, fact, keepAll, put, temporaryFolder } from "./folders.ts"

const PAGE_BYTES = 4096
const CHANNELS = ["a", "b", "c"]
/** No checkpoint but those that a test asks for. */
const NEVER_MS = 1e9

/**
 * A machine that crashes loses what it has not synced, page by page: of each page of the data file, the disk may hold
 * the state of the last sync or any that came after it.
 */
class Disk {
  readonly #folder: string
  /** States of the data file since the last checkpoint, the synced one first. */
  #states: Buffer[] = []

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Everything is synced now. */
  sync(): void {
    this.#states = []
    this.note()
  }

  /** The file has a state that the disk may hold parts of. */
  note(): void {
    this.#states.push(readFileSync(join(this.#folder, "data.mdb")))
  }

  /** A folder with what a crash might leave. */
  crash(seed: number): string {
    const dice = seeded(seed)
    const folder = temporaryFolder()
    const bytes = Math.max(...this.#states.map(({ length }) => length))
    const pages: Buffer[] = []
    for (let start = 0; start < bytes; start += PAGE_BYTES) {
      const page = Buffer.alloc(PAGE_BYTES)
      dice
        .pick(this.#states)
        .subarray(start, start + PAGE_BYTES)
        .copy(page)
      pages.push(page)
    }
    writeFileSync(join(folder, "data.mdb"), Buffer.concat(pages))
    copyFileSync(join(this.#folder, "checkpoints"), join(folder, "checkpoints"))
    startAgain(folder)
    return folder
  }
}

/** Makes the checkpoints ones of another start of the machine. */
function startAgain(folder: string): void {
  const path = join(folder, "checkpoints")
  const slots = readFileSync(path)
  const changed = [0, SLOT_BYTES].map((start) => {
    const checkpoint = decodeCheckpoint(slots.subarray(start, start + SLOT_BYTES))
    if (checkpoint === undefined || "format" in checkpoint) throw new Error("a checkpoint is damaged")
    return encodeCheckpoint({ ...checkpoint, boot: "the machine's start before this one" })
  })
  writeFileSync(path, Buffer.concat(changed))
}

async function stateOf(log: Log): Promise<readonly (readonly Entry[])[]> {
  return await Promise.all(
    CHANNELS.flatMap((channel) => {
      const range = { collection: "keys", before: Number.MAX_SAFE_INTEGER, entriesMax: 1e6, bytesMax: 1e9 }
      return [entriesOf(log, channel), log.readBack(channel, range).then(({ entries }) => entries)]
    }),
  )
}

function change(dice: ReturnType<typeof seeded>, text: string): Operation {
  const key = `${dice.between(0, 30)}`
  if (dice.chance(0.5)) return fact(text)
  if (dice.chance(0.4)) return put(key, text)
  const change = { collection: "keys", key, body: Buffer.from(text), at: Date.now() }
  return { operation: dice.chance(0.7) ? "extend" : "remove", ...change }
}

/** Appends some of everything; trims, supersedes and deletes, so that pages are freed and used again. */
async function write(log: Log, dice: ReturnType<typeof seeded>, count: number): Promise<void> {
  const appends: Promise<unknown>[] = []
  for (let index = 0; index < count; index++) {
    const text = dice.uniqueId().repeat(dice.between(1, 20))
    const operation = change(dice, text)
    const dedupe = { key: dice.uniqueId(), fingerprint: "", windowMs: 60_000 }
    appends.push(
      log.append(dice.pick(CHANNELS), operation, { retention: { ...keepAll, entries: 40 }, dedupe }),
    )
  }
  await Promise.all(appends)
}

async function expectUsable(log: Log): Promise<void> {
  await write(log, seeded(1), 300)
  for (const entries of await stateOf(log)) {
    expect(entries.length).toBeGreaterThan(0)
    expect(new Set(entries.map(({ offset }) => offset)).size).toBe(entries.length)
  }
}

const seeds = Array.from({ length: 12 }, (_, index) => index + 1)

describe("after a crash of the machine,", () => {
  test.each(seeds)(
    "without sync, the log is what it was at the last checkpoint, in a new epoch (seed %i)",
    async (seed) => {
      const folder = temporaryFolder()
      const options: LmdbLogOptions = { checkpointIntervalMs: NEVER_MS }
      const dice = seeded(seed)
      let log = lmdbLog(folder, options)
      await write(log, dice, 500)
      await log.close()
      log = lmdbLog(folder, options)
      const disk = new Disk(folder)
      disk.sync()
      const [kept, before] = [await stateOf(log), await log.head("a")]
      for (let round = 0; round < 8; round++) {
        await write(log, dice, 60)
        disk.note()
      }
      const crashed = disk.crash(seed)
      await log.close()

      const restored = lmdbLog(crashed)
      expect(await stateOf(restored)).toEqual(kept)
      const after = await restored.head("a")
      expect({ ...after, epoch: "" }).toEqual({ ...before, epoch: "" })
      expect(after.epoch).not.toBe(before.epoch)
      await expectUsable(restored)
      await restored.close()
    },
  )

  test.each(seeds)(
    "with sync, nothing acknowledged is lost, and the epoch goes on (seed %i)",
    async (seed) => {
      const folder = temporaryFolder()
      const dice = seeded(seed)
      const log = lmdbLog(folder, { sync: true })
      const disk = new Disk(folder)
      await write(log, dice, 300)
      disk.sync()
      const [kept, before] = [await stateOf(log), await log.head("a")]
      // Committed, and not synced yet: what is in the file when the crash comes, of which nobody knows.
      const { Store } = await import("../../src/logs/lmdb/store.ts")
      const store = new Store(folder, { readOnly: false })
      for (let round = 0; round < 8; round++) {
        store.transact(() => {
          for (let index = 0; index < 30; index++) {
            const key = Buffer.from(dice.uniqueId())
            store.entries.putSync(key, Buffer.alloc(dice.between(1, 3_000), round))
          }
        })
        disk.note()
      }
      const crashed = disk.crash(seed)
      await store.close()
      await log.close()

      const restored = lmdbLog(crashed, { sync: true })
      expect(await stateOf(restored)).toEqual(kept)
      expect(await restored.head("a")).toEqual(before)
      await expectUsable(restored)
      await restored.close()
    },
  )

  test("a log that was closed is what it was, and its epoch goes on", async () => {
    const folder = temporaryFolder()
    const log = lmdbLog(folder)
    await write(log, seeded(1), 100)
    const [kept, before] = [await stateOf(log), await log.head("a")]
    await log.close()
    startAgain(folder)
    const again = lmdbLog(folder)
    expect(await stateOf(again)).toEqual(kept)
    expect(await again.head("a")).toEqual(before)
    await again.close()
  })

  test("a log is not opened for reading before it was restored", async () => {
    const folder = temporaryFolder()
    const log = lmdbLog(folder)
    const disk = new Disk(folder)
    disk.sync()
    const crashed = disk.crash(1)
    await log.close()
    expect(() => lmdbLog(crashed, { readOnly: true })).toThrow("opened for writing first")
    await lmdbLog(crashed).close()
    await lmdbLog(crashed, { readOnly: true }).close()
  })

  test("a new epoch begins even if the process ends before it has begun", async () => {
    const folder = temporaryFolder()
    const log = lmdbLog(folder)
    const { epoch } = await log.head("a")
    await log.close()
    const path = join(folder, "checkpoints")
    const due = [0, SLOT_BYTES].map((start) => {
      const checkpoint = decodeCheckpoint(readFileSync(path).subarray(start, start + SLOT_BYTES))
      if (checkpoint === undefined || "format" in checkpoint) throw new Error("a checkpoint is damaged")
      return encodeCheckpoint({ ...checkpoint, state: "open", isEpochDue: true })
    })
    writeFileSync(path, Buffer.concat(due))
    const again = lmdbLog(folder)
    expect((await again.head("a")).epoch).not.toBe(epoch)
    await again.close()
  })
})

describe("the epoch", () => {
  test("stays when a process is started again, and changes when that is asked for", async () => {
    const folder = temporaryFolder()
    const epochs: string[] = []
    for (const options of [{}, {}, { newEpoch: true }, {}]) {
      const log = lmdbLog(folder, options)
      epochs.push((await log.head("a")).epoch)
      await log.close()
    }
    expect(epochs[1]).toBe(epochs[0])
    expect(epochs[2]).not.toBe(epochs[0])
    expect(epochs[3]).toBe(epochs[2])
  })
})
