import { expect, test } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { testWorld } from "../../src/testing/world.ts"

const app = contract({ "room/:room": channel({ presence: z.string() }) })

/** A room on a log that can be away, and a client in it. */
async function present() {
  const log = memoryLog({ epoch: "e1" })
  let isAway = false
  const breaking: Log = {
    ...log,
    append: async (...args) => {
      if (isAway) throw new HoldfastError("log_unavailable")
      return log.append(...args)
    },
  }
  const quiet = { warn: () => {}, error: () => {} }
  const channels = {
    "room/:room": { subscribe: true, presence: ({ data }: { data: string }) => data },
  } as const
  const world = testWorld(app, { log: breaking, logger: quiet, channels })
  const client = world.connect()
  const open = () => client.channel("room/:room", { room: "a" })
  const room = open()
  await world.clock.run(room.presence.enter("first"))
  return {
    clock: world.clock,
    room,
    open,
    members: async () => [...(await world.hub.channel("room/:room", { room: "a" }).members()).values()],
    setAway: (away: boolean) => {
      isAway = away
    },
  }
}

test("a channel that is closed while the log is away is left when it is back", async () => {
  const { clock, room, members, setAway } = await present()
  setAway(true)
  room.close()
  await clock.advance(5_000)
  setAway(false)
  await clock.advance(5_000)
  expect(await members()).toEqual([])
})

test("a channel that is opened again meanwhile is left, if it is not entered", async () => {
  const { clock, room, open, members, setAway } = await present()
  setAway(true)
  room.close()
  await clock.advance(5_000)
  open().subscribe()
  setAway(false)
  await clock.advance(5_000)
  expect(await members()).toEqual([])
})

test("a channel that is entered again meanwhile is not left any more", async () => {
  const { clock, room, open, members, setAway } = await present()
  setAway(true)
  room.close()
  await clock.advance(500)
  const entered = open().presence.enter("second")
  setAway(false)
  await clock.run(entered)
  await clock.advance(10_000)
  expect(await members()).toEqual(["second"])
})
