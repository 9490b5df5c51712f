import { expect, it } from "vitest"
import { entries } from "../../src/hub/channel/entries.ts"
import { defaultLimits } from "../../src/hub/limits.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"

const set = async (log: Log, key: string) => {
  const put = { operation: "put", collection: "state/value", key, body: new Uint8Array([1]), at: 0 } as const
  const retention = { entries: Infinity, forMs: Infinity, bytes: Infinity, removalsForMs: Infinity }
  await log.append("a", put, { retention })
}

it("reads what a log has that began anew in the middle of it", async () => {
  const [old, young] = [memoryLog(), memoryLog()]
  for (let n = 0; n < 9; n++) await set(old, `old ${n}`)
  await set(young, "young")
  let reads = 0
  const log: Log = {
    ...old,
    head: (channel) => (reads === 0 ? old : young).head(channel),
    read: (channel, range) => (reads++ === 0 ? old : young).read(channel, range),
  }
  const limits = { ...defaultLimits, pageEntriesMax: 2 }
  const found = await entries({ log, limits }, "a", { after: 0, select: "fold" }, () => true)
  expect(found.map(({ key }) => key)).toEqual(["young"])
})
