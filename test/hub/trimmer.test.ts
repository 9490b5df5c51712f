import { expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { Trimmer } from "../../src/hub/channel/trimmer.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { rig } from "./rig.ts"

const retentions = { events: { entries: 10, forMs: 5_000, bytes: 1_000, removalsForMs: 5_000 } }
const silent = { warn: () => {}, error: () => {} }

it("does not forget a channel that is published on while it is trimmed", async () => {
  const clock = virtualClock()
  const trimmed: number[] = []
  const log = {
    ...memoryLog(),
    trim: async () => {
      trimmed.push(clock.monotonic())
      if (trimmed.length === 1) trimmer.track("a", retentions)
    },
  }
  const trimmer = new Trimmer(log, clock, 10_000, silent)
  trimmer.track("a", retentions)
  await clock.advance(60_000)
  expect(trimmed).toEqual([10_000, 20_000])
  expect(clock.nextDueMs()).toBeUndefined()
})

it("trims what an earlier life of the node appended to a channel that somebody follows", async () => {
  const log = memoryLog()
  const aged = contract({ aged: channel({ events: { tick: z.number() }, keep: { forMs: 60_000 } }) })
  await rig(aged, {}, log).hub.channel("aged", {}).publish("tick", 1)
  const { clock, hub, peer } = rig(aged, { channels: { aged: { subscribe: true } } }, log)
  await peer().hello({ channel: "aged" })
  await clock.advance(200_000)
  expect(await hub.channel("aged", {}).history({ last: 1 })).toEqual([])
})
