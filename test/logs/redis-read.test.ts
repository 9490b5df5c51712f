import { expect, test } from "vitest"
import { ChannelStore } from "../../src/logs/redis/channel-store.ts"
import type { Connection } from "../../src/logs/redis/connection.ts"
import { placeOf } from "../../src/logs/redis/keys.ts"
import { redisLogDefaults } from "../../src/logs/redis/options.ts"
import { Partitions } from "../../src/logs/redis/partitions.ts"

test("a read is answered once, however much is told while its answer is on its way", async () => {
  const partitions = new Partitions()
  const place = placeOf("holdfast", "a")
  let top = 0
  const connection = {
    isSynced: false,
    session: async () => undefined,
    send: async () => {
      if (++top > 20) throw new TypeError("asked again and again")
      const answer = [0, "epoch", 1, top, top, 0, 1, Buffer.alloc(0), top, Buffer.alloc(0)]
      // the connection that tells is another one, and faster than a long answer
      partitions.note(place.partition, { epoch: "epoch", generation: 1, top: top + 1 }, 0)
      return answer
    },
  } as unknown as Connection
  const store = new ChannelStore(connection, partitions, { ...redisLogDefaults, waitMs: 1 })
  const range = { after: 0, through: 100, select: "all", entriesMax: 10, bytesMax: 100 } as const
  expect((await store.read(place, range)).head.top).toBe(1)
  expect((await store.read(place, range)).head.top).toBe(2)
})
