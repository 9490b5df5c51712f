import { expect, it } from "vitest"
import { entries } from "../../src/hub/channel/entries.ts"
import { defaultLimits } from "../../src/hub/limits.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"

const collection = "state/value"
const retention = { entries: Infinity, forMs: Infinity, bytes: Infinity, removalsForMs: Infinity }
const limits = { ...defaultLimits, pageEntriesMax: 2 }

const change = async (log: Log, operation: "put" | "remove" | "extend", key: string, byte = 1) => {
  await log.append("a", { operation, collection, key, body: new Uint8Array([byte]), at: 0 }, { retention })
}

/** Calls `then` behind the first page that is read. */
const interrupted = (log: Log, then: () => Promise<void>): Log => {
  let reads = 0
  return {
    ...log,
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      if (reads++ === 0) await then()
      return page
    },
  }
}

const fold = async (log: Log) => {
  const range = { after: 0, select: "fold", collections: [collection] } as const
  const found = await entries({ log, limits }, "a", range, () => true)
  return found.map(({ key, body }) => `${key}=${[...body].join()}`)
}

it("reads what a log has that began anew in the middle of it", async () => {
  const [old, young] = [memoryLog(), memoryLog()]
  for (let n = 0; n < 9; n++) await change(old, "put", `old ${n}`)
  await change(young, "put", "young")
  let reads = 0
  const log: Log = {
    ...old,
    head: (channel) => (reads === 0 ? old : young).head(channel),
    read: (channel, range) => (reads++ === 0 ? old : young).read(channel, range),
  }
  expect(await fold(log)).toEqual(["young=1"])
})

it("has the keys of a fold as they were changed while it was read", async () => {
  const log = memoryLog()
  for (const key of ["a", "b", "c", "d", "e"]) await change(log, "put", key)
  const found = fold(
    interrupted(log, async () => {
      await change(log, "put", "e", 2)
      await change(log, "remove", "a")
      await change(log, "extend", "d", 3)
      await change(log, "put", "f")
    }),
  )
  expect(await found).toEqual(["b=1", "c=1", "e=2", "d=1,3", "f=1"])
})

it("reads a fold again when a removal is forgotten meanwhile", async () => {
  const log = memoryLog({ tombstonesPerCollectionMax: 0 })
  for (const key of ["a", "b", "c"]) await change(log, "put", key)
  const found = fold(
    interrupted(log, async () => {
      for (const key of ["a", "b"]) await change(log, "remove", key)
    }),
  )
  expect(await found).toEqual(["c=1"])
})
