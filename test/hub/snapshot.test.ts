import { describe, expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Encoding } from "../../src/hub/ports/link.ts"
import type { Batch, Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import type { Position } from "../../src/protocol/position.ts"
import { lines, type Peer, rig } from "./rig.ts"

const app = contract({
  "mixed/:name": channel({ events: { tick: z.number() }, state: { price: z.number() }, keep: { events: 5 } }),
  "loaded/:name": channel({
    events: { tick: z.number() },
    state: { price: z.number() },
    snapshot: z.number(),
    keep: { events: 5 },
  }),
})

interface Options {
  readonly log?: Log
  readonly pageEntriesMax?: number
  readonly load?: () => Promise<number>
}

function make({ log = memoryLog({ epoch: "e1" }), pageEntriesMax = 2, load = async () => 0 }: Options = {}) {
  const r = rig(
    app,
    {
      channels: {
        "mixed/:name": { subscribe: true },
        "loaded/:name": { subscribe: true, snapshot: load },
      },
      limits: { pageEntriesMax },
    },
    log,
  )
  return {
    ...r,
    mixed: r.hub.channel("mixed/:name", { name: "a" }),
    loaded: r.hub.channel("loaded/:name", { name: "a" }),
  }
}

/** What the parts of the last snapshot come to, and the entries behind it, by key. */
function fold(peer: Peer): Record<string, number> {
  const prices = new Map<string, number>()
  let complete = 0
  let parts: (typeof peer.received)[number][] = []
  const apply = (entry: object) => {
    const { type, key, data } = entry as { type: string; key: string; data: number }
    if (type === "set") prices.set(key, data)
    else if (type === "delete") prices.delete(key)
  }
  for (const message of peer.received) {
    if (message.type === "snapshot") {
      if (message.restarts) parts = []
      parts.push(message)
      if (!message.last) continue
      prices.clear()
      for (const part of parts) if (part.type === "snapshot") part.entries.forEach(apply)
      parts = []
      complete = message.offset
    } else if ("offset" in message && message.offset > complete) apply(message)
  }
  return Object.fromEntries(prices)
}

/** Blocks its link with each message of this type, which `drain` undoes. */
function blocking(type: string, block: () => void): Encoding {
  const encoding = lines()
  return {
    ...encoding,
    frame: (message, position) => {
      if ("type" in message && message.type === type) block()
      return encoding.frame(message, position)
    },
  }
}

describe("a snapshot that is read while the channel changes", () => {
  it("has each key that was written, and none that was removed, meanwhile", async () => {
    const { mixed, clock, peer } = make()
    for (let n = 0; n < 10; n++) await mixed.set("price", `k${n}`, n)
    const slow: Peer = peer(blocking("snapshot", () => slow.block()))
    await slow.hello({ channel: "mixed/a" })
    await mixed.set("price", "k9", 99)
    await mixed.set("price", "k10", 10)
    await mixed.delete("price", "k0")
    await mixed.delete("price", "k8")
    while (!slow.received.some((message) => message.type === "snapshot" && message.last)) {
      slow.drain()
      await clock.settle()
    }
    expect(Object.keys(fold(slow)).sort()).toEqual(["k1", "k10", "k2", "k3", "k4", "k5", "k6", "k7", "k9"])
    expect(fold(slow)).toMatchObject({ k9: 99, k10: 10 })
    expect(slow.last("snapshot").offset).toBe(14)
    expect(slow.all("gap")).toEqual([])
  })

  it("begins again when a removal was forgotten before it was read", async () => {
    const log = memoryLog({ epoch: "e1", tombstonesPerCollectionMax: 0 })
    const { mixed, clock, peer } = make({ log })
    for (let n = 0; n < 6; n++) await mixed.set("price", `k${n}`, n)
    const slow: Peer = peer(blocking("snapshot", () => slow.block()))
    await slow.hello({ channel: "mixed/a" })
    for (const key of ["k0", "k1", "k2", "k3"]) await mixed.delete("price", key)
    for (let n = 0; n < 10; n++) {
      slow.drain()
      await clock.settle()
    }
    expect(fold(slow)).toEqual({ k4: 4, k5: 5 })
    expect(slow.all("snapshot").map(({ restarts = false }) => restarts)).toContain(true)
    expect(slow.all("gap")).toEqual([])
  })

  it("ends, with a gap behind it, when removals are forgotten all the time", async () => {
    const log = memoryLog({ epoch: "e1", tombstonesPerCollectionMax: 0 })
    const { mixed, clock, peer } = make({ log })
    for (let n = 0; n < 40; n++) await mixed.set("price", `k${n}`, n)
    const slow: Peer = peer(blocking("snapshot", () => slow.block()))
    await slow.hello({ channel: "mixed/a" })
    for (let n = 0; n < 36; n++) {
      await mixed.delete("price", `k${n}`)
      slow.drain()
      await clock.settle()
    }
    const ends = () => slow.all("snapshot").filter(({ last }) => last)
    for (let n = 0; n < 60; n++) {
      slow.drain()
      await clock.settle()
    }
    expect(ends().length).toBeGreaterThan(0)
    expect(fold(slow)).toEqual({ k36: 36, k37: 37, k38: 38, k39: 39 })
  })

  it("ends at the top on a link that is faster than the keys change", async () => {
    const { mixed, clock, peer, log } = make({ pageEntriesMax: 5 })
    const set = async (n: number, value: number) => mixed.set("price", `k${n % 100}`, value)
    for (let n = 0; n < 100; n++) await set(n, 0)
    const slow: Peer = peer(blocking("snapshot", () => slow.block()))
    await slow.hello({ channel: "mixed/a" })
    for (let n = 0; slow.all("snapshot").at(-1)?.last !== true; n += 3) {
      for (let key = n; key < n + 3; key++) await set(key, 1)
      slow.drain()
      await clock.settle()
    }
    const sent = slow
      .all("snapshot")
      .flatMap(({ entries }) => entries.map((entry) => "key" in entry && entry.key))
    expect(new Set(sent).size).toBe(100)
    expect(slow.last("snapshot").offset).toBe((await log.head("mixed/a")).top)
  })

  it("ends on a link that is slower than the keys change, and the entries have the rest", async () => {
    const { mixed, clock, peer } = make()
    for (let n = 0; n < 8; n++) await mixed.set("price", `k${n}`, n)
    const slow: Peer = peer(blocking("snapshot", () => slow.block()))
    await slow.hello({ channel: "mixed/a" })
    for (let round = 1; round <= 40; round++) {
      for (let n = 0; n < 8; n++) await mixed.set("price", `k${n}`, 100 * round + n)
      slow.drain()
      await clock.settle()
    }
    const ends = slow.all("snapshot").filter(({ last }) => last)
    expect(ends).toHaveLength(1)
    expect(fold(slow)).toEqual(Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`k${n}`, 4000 + n])))
    expect(slow.all("gap")).toEqual([])
  })

  it("tells each subscriber its own cursor at its end", async () => {
    const { mixed, peer } = make({ pageEntriesMax: 100 })
    await mixed.set("price", "k", 1)
    for (let n = 0; n < 4; n++) await mixed.publish("tick", n)
    const ends: (Position | undefined)[] = []
    const shared = lines()
    const encoding: Encoding = {
      ...shared,
      frame: (message, position) => {
        if ("type" in message && message.type === "snapshot") ends.push(position)
        return shared.frame(message, position)
      },
    }
    await peer(encoding).hello({ channel: "mixed/a" })
    const late = peer(encoding)
    await late.hello({ channel: "mixed/a", history: { last: 3 } })
    expect(ends).toEqual([
      { epoch: "e1", offset: 5 },
      { epoch: "e1", offset: 2 },
    ])
    expect(late.all("event").map(({ offset }) => offset)).toEqual([3, 4, 5])
  })
})

describe("a gap of events", () => {
  it("leads to where nothing is left, and is not reported again from there", async () => {
    const { mixed, peer, clock, log } = make()
    for (let n = 0; n < 2; n++) await mixed.publish("tick", n)
    await mixed.set("price", "k", 1)
    for (let n = 0; n < 2; n++) await mixed.publish("tick", n)
    const none = { entries: 0, forMs: 0, bytes: 0, removalsForMs: 0 }
    await log.trim("mixed/a", { events: none }, clock.now())
    const first = peer()
    await first.hello({ channel: "mixed/a", position: { epoch: "e1", offset: 1 } })
    expect(first.last("gap")).toMatchObject({ collections: ["events"], to: { offset: 5 }, snapshot: false })
    expect(first.received.slice(3)).toMatchObject([
      { type: "set", offset: 3 },
      { type: "position", offset: 5 },
    ])
    const second = peer()
    await second.hello({
      channel: "mixed/a",
      position: { epoch: "e1", offset: first.last("position").offset },
    })
    expect(second.all("gap")).toEqual([])
  })

  it("comes with entries, also when events are trimmed as fast as they are read", async () => {
    let publish = async () => {}
    const log = memoryLog({ epoch: "e1" })
    const busy: Log = {
      ...log,
      read: async (...args) => {
        const page = await log.read(...args)
        await publish()
        return page
      },
    }
    const { mixed, peer, clock } = make({ log: busy })
    for (let n = 0; n < 10; n++) await mixed.publish("tick", n)
    const steady = peer()
    await steady.hello({ channel: "mixed/a" })
    let left = 30
    publish = async () => {
      for (let n = 0; n < 6 && left-- > 0; n++) await mixed.publish("tick", n)
    }
    const back = peer()
    await back.hello({ channel: "mixed/a", position: { epoch: "e1", offset: 1 } })
    await clock.settle()
    const types = back.received.map(({ type }) => type).filter((type) => type === "gap" || type === "event")
    // no two gaps without an event in between
    expect(types.join(" ")).not.toContain("gap gap")
    expect(back.last("event").offset).toBe((await log.head("mixed/a")).top)
  })

  it("makes the server load a value once, however long the load takes", async () => {
    let loads = 0
    let tick = async () => {}
    const { loaded, peer, clock } = make({
      load: async () => {
        loads++
        for (let n = 0; n < 3; n++) await tick()
        return loads
      },
    })
    for (let n = 0; n < 10; n++) await loaded.publish("tick", n)
    let left = 100
    tick = async () => {
      if (left-- > 0) await loaded.publish("tick", 0)
    }
    const back = peer()
    await back.hello({ channel: "loaded/a", position: { epoch: "e1", offset: 1 } })
    await clock.settle()
    expect(loads).toBe(1)
    expect(back.all("gap").map(({ snapshot }) => snapshot)).toEqual([true, false])
    expect(back.last("event").offset).toBe(13)
  })
})

describe("a node that is behind its log", () => {
  /** A log whose watchers hear nothing until they are told. */
  function lagging() {
    const log = memoryLog({ epoch: "e1", tombstonesPerCollectionMax: 0 })
    const held: (() => void)[] = []
    let holds = false
    const watch: Log["watch"] = (name, listener) =>
      log.watch(name, (batch: Batch) => {
        if (holds) held.push(() => listener(batch))
        else listener(batch)
      })
    return {
      log: { ...log, watch } satisfies Log,
      hold: () => {
        holds = true
      },
      /** Tells so many of what was held. */
      release: (count: number) => {
        for (const tell of held.splice(0, count)) tell()
      },
    }
  }

  it("reports no gap of what a snapshot had, to a subscriber that falls behind below its end", async () => {
    const { log, hold, release } = lagging()
    const { mixed, peer, clock } = make({ log })
    const steady = peer()
    await steady.hello({ channel: "mixed/a" })
    hold()
    for (let n = 0; n < 4; n++) await mixed.set("price", `k${n}`, n)
    for (const key of ["k0", "k1", "k2"]) await mixed.delete("price", key)
    const late = peer()
    await late.hello({ channel: "mixed/a" })
    expect(late.last("snapshot")).toMatchObject({ last: true, offset: 7 })
    late.block()
    for (const count of [1, 6]) {
      release(count)
      await clock.settle()
    }
    late.drain()
    await clock.settle()
    expect(late.all("gap")).toEqual([])
    expect(fold(late)).toEqual({ k3: 3 })
  })

  it("reports no gap to a fresh subscriber with history", async () => {
    const { log, hold } = lagging()
    const { mixed, peer } = make({ log })
    const steady = peer()
    await steady.hello({ channel: "mixed/a" })
    hold()
    for (let n = 0; n < 3; n++) await mixed.publish("tick", n)
    for (let n = 0; n < 4; n++) await mixed.set("price", `k${n}`, n)
    for (const key of ["k0", "k1", "k2"]) await mixed.delete("price", key)
    const late = peer()
    await late.hello({ channel: "mixed/a", history: { last: 2 } })
    expect(late.all("gap")).toEqual([])
    expect(fold(late)).toEqual({ k3: 3 })
  })
})
