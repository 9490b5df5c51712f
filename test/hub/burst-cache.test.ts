import { expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { lines, rig } from "./rig.ts"

const app = contract({
  "plain/:name": channel({ events: { tick: z.number() }, keep: { events: 10 } }),
  "prices/:name": channel({ state: { price: z.number() } }),
})
const here = { channel: "plain/a", position: { epoch: "e1", offset: 0 } }

/** A hub of which it is known how often it has read pages of its log. */
function counting(limits = {}) {
  const log = memoryLog({ epoch: "e1" })
  let reads = 0
  const counted: Log = {
    ...log,
    read: (...args) => {
      reads++
      return log.read(...args)
    },
  }
  const { hub, clock, peer } = rig(
    app,
    { channels: { "plain/:name": { subscribe: true }, "prices/:name": { subscribe: true } }, limits },
    counted,
  )
  const publish = async (...values: number[]) => {
    for (const value of values) await hub.channel("plain/:name", { name: "a" }).publish("tick", value)
  }
  const prices = hub.channel("prices/:name", { name: "a" })
  return { publish, prices, clock, peer, reads: () => reads }
}

it("reads a page once for all who come back to the same place, and gives all the same", async () => {
  const { publish, peer, reads } = counting({ pageEntriesMax: 2 })
  await publish(1, 2, 3, 4, 5)
  const peers = Array.from({ length: 20 }, () => peer())
  for (const each of peers) await each.hello(here)
  expect(reads()).toBe(3)
  for (const each of peers) expect(each.all("event").map(({ data }) => data)).toEqual([1, 2, 3, 4, 5])
})

it("reads and encodes a snapshot once for all who begin at the same place", async () => {
  const { prices, clock, peer, reads } = counting({ pageEntriesMax: 2 })
  for (const n of [1, 2, 3, 4, 5]) await prices.set("price", `k${n}`, n)
  const encoding = lines("one")
  const peers = Array.from({ length: 20 }, () => peer(encoding))
  for (const each of peers) await each.hello({ channel: "prices/a" })
  const valuesOf = (each: (typeof peers)[number]) =>
    each
      .all("snapshot")
      .flatMap(({ entries }) => entries.map((entry) => ("data" in entry ? entry.data : undefined)))
  for (const each of peers) expect(valuesOf(each)).toEqual([1, 2, 3, 4, 5])
  expect(reads()).toBe(3)
  // each also got a welcome and what it had subscribed to
  expect(encoding.made()).toBe(3 + 20 * 2)
  await clock.advance(1_001)
  await peer(encoding).hello({ channel: "prices/a" })
  await clock.advance(1)
  expect(reads()).toBe(6)
})

it("reads anew when there is more to be had in one page by now", async () => {
  const { publish, peer, reads } = counting()
  const steady = peer()
  await steady.hello({ channel: "plain/a" })
  for (const value of [1, 2, 3]) {
    await publish(value)
    await peer().hello(here)
  }
  const last = peer()
  await last.hello(here)
  expect(last.all("event").map(({ data }) => data)).toEqual([1, 2, 3])
  expect(reads()).toBe(3)
})

it("tells a gap to who comes back to what was trimmed, though others were given it", async () => {
  const { publish, peer } = counting({ pageEntriesMax: 2 })
  await publish(1, 2, 3)
  await peer().hello(here)
  await publish(4, 5, 6, 7, 8, 9, 10, 11)
  const late = peer()
  await late.hello(here)
  expect(late.last("gap")).toMatchObject({ reason: "trimmed", to: { offset: 1 } })
  expect(late.all("event").map(({ offset }) => offset)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
})

it("does not give old pages", async () => {
  const { publish, clock, peer, reads } = counting()
  await publish(1)
  await peer().hello(here)
  await clock.advance(1_001)
  await peer().hello(here)
  expect(reads()).toBe(2)
})

it("keeps the pages of each encoding apart", async () => {
  const { publish, peer, reads } = counting()
  await publish(1, 2)
  for (const encoding of [lines("one"), lines("other")]) {
    const each = peer(encoding)
    await each.hello(here)
    expect(each.all("event").map(({ data }) => data)).toEqual([1, 2])
  }
  expect(reads()).toBe(2)
})

it("holds no more than it may", async () => {
  const { publish, peer, reads } = counting({ encodedCacheBytesMax: 0 })
  await publish(1)
  for (let n = 0; n < 3; n++) await peer().hello(here)
  expect(reads()).toBe(3)
})
