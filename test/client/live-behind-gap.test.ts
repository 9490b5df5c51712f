import { expect, test } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { testWorld } from "../../src/testing/world.ts"

const app = contract({
  facts: channel({ events: { said: z.string() } }),
  keyed: channel({ events: { said: z.string() }, state: { topic: z.string() } }),
})

/** A client whose server loses its log, and what the client is told in order. */
async function lost(name: "facts" | "keyed", entriesBehind: number) {
  const quiet = { warn: () => {}, error: () => {} }
  const rule = { subscribe: true } as const
  let current = memoryLog({ epoch: "e1" })
  const log = new Proxy({} as Log, { get: (_, property) => Reflect.get(current, property) })
  const world = testWorld(app, { log, logger: quiet, channels: { facts: rule, keyed: rule } })
  const room = world.connect().channel(name, {})
  const told: string[] = []
  room.onStatus((status) => told.push(status))
  room.onGap(({ reason }) => told.push(reason))
  await world.clock.run(room.ready())
  const publish = () => world.clock.run(world.hub.channel(name, {}).publish("said", "hello"))
  for (let count = 0; count < 3; count++) await publish()
  await world.clock.advance(1_000)
  told.length = 0
  current = memoryLog({ epoch: "e2" })
  world.restart()
  for (let count = 0; count < entriesBehind; count++) await publish()
  await world.clock.advance(60_000)
  return told
}

test.each([
  ["facts", 0],
  ["facts", 2],
  ["facts", 5],
  ["keyed", 0],
  ["keyed", 5],
] as const)(
  "a channel of %s whose log is lost and has %i entries is live only behind the gap",
  async (name, entries) => {
    expect(await lost(name, entries)).toEqual(["subscribing", "new-epoch", "live"])
  },
)
