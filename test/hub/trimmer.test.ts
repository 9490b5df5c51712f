import { expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { Trimmer } from "../../src/hub/channel/trimmer.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { rig } from "./rig.ts"

const retentions = { events: { entries: 10, forMs: 5_000, bytes: 1_000, removalsForMs: Infinity } }
const silent = { warn: () => {}, error: () => {} }

/** Records when each channel was trimmed. */
function recording(followed: readonly string[] = [], during: () => void = () => {}) {
  const clock = virtualClock()
  const trims: [channel: string, atMs: number][] = []
  const trim = async (channel: string) => {
    trims.push([channel, clock.monotonic()])
    during()
  }
  const trimmer = new Trimmer({
    log: { ...memoryLog(), trim },
    clock,
    logger: silent,
    intervalMs: 10_000,
    isFollowed: (channel) => followed.includes(channel),
  })
  const timesOf = (channel: string) => trims.flatMap(([name, atMs]) => (name === channel ? [atMs] : []))
  return { clock, trimmer, timesOf }
}

it("does not forget a channel that is published on while it is trimmed", async () => {
  let count = 0
  const { clock, trimmer, timesOf } = recording([], () => {
    if (count++ === 0) trimmer.track("a", retentions)
  })
  trimmer.track("a", retentions)
  await clock.advance(60_000)
  expect(timesOf("a")).toEqual([10_000, 20_000])
  expect(clock.nextDueMs()).toBeUndefined()
})

it("trims a followed channel every ten minutes, however long its entries are kept", async () => {
  const { clock, trimmer, timesOf } = recording(["followed"])
  const endless = { events: { entries: 10, forMs: Infinity, bytes: 1_000, removalsForMs: Infinity } }
  trimmer.track("followed", endless)
  trimmer.track("appended", endless)
  await clock.advance(25 * 60_000)
  expect(timesOf("followed")).toEqual([600_000, 1_200_000])
  expect(timesOf("appended")).toEqual([600_000])
})

it("trims entries that are kept for an hour every minute", async () => {
  const { clock, trimmer, timesOf } = recording()
  trimmer.track("a", { events: { ...retentions.events, forMs: 3_600_000 } })
  await clock.advance(180_000)
  expect(timesOf("a")).toEqual([60_000, 120_000, 180_000])
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
