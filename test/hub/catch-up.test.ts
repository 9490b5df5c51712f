import { describe, expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Encoding } from "../../src/hub/ports/link.ts"
import { lines, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

/** Calls `then` when a message of this type is encoded, which is just before it is written. */
function watched(type: string, then: () => void): Encoding {
  const encoding = lines()
  return {
    ...encoding,
    frame: (message) => {
      if ("type" in message && message.type === type) then()
      return encoding.frame(message)
    },
  }
}

describe("catch-up", () => {
  it("writes one page to a connection that stalls, however many subscriptions it has", async () => {
    const r = rig(room, { channels: handlers })
    const names = Array.from({ length: 200 }, (_, n) => `c${n}`)
    for (const name of names) {
      for (let n = 0; n < 3; n++) await r.hub.channel("plain/:name", { name }).publish("tick", n)
    }
    const peer = r.peer(watched("event", () => peer.block()))
    await peer.hello(...names.map((name) => ({ channel: `plain/${name}`, history: "all" })))
    expect(peer.all("subscribed")).toHaveLength(200)
    expect(peer.all("event")).toHaveLength(3)
    for (let n = 1; n < 200; n++) {
      peer.drain()
      await r.clock.settle()
    }
    expect(peer.all("event")).toHaveLength(600)
  })

  it("gives every connection its turn before another has its next", async () => {
    const r = rig(room, { channels: handlers, limits: { catchUpBytesPerTurnMax: 1 } })
    const names = Array.from({ length: 50 }, (_, n) => `c${n}`)
    for (const name of names) await r.hub.channel("plain/:name", { name }).publish("tick", 1)
    const [greedy, modest] = [r.peer(), r.peer(watched("event", () => at.push(greedy.all("event").length)))]
    const at: number[] = []
    const greeted = greedy.hello(...names.map((name) => ({ channel: `plain/${name}`, history: "all" })))
    await modest.hello({ channel: "plain/c0", history: "all" })
    await greeted
    expect(greedy.all("event")).toHaveLength(50)
    expect(at[0]).toBeLessThan(5)
  })

  it("brings a snapshot to its end on a link that is slower than the log is trimmed", async () => {
    const mixed = contract({
      mixed: channel({ events: { tick: z.number() }, state: { value: z.number() }, keep: { events: 5 } }),
    })
    const r = rig(mixed, { channels: { mixed: { subscribe: true } }, limits: { pageEntriesMax: 2 } })
    const mixedChannel = r.hub.channel("mixed", {})
    for (let n = 0; n < 20; n++) await mixedChannel.set("value", `k${n}`, n)
    const peer = r.peer(watched("snapshot", () => peer.block()))
    await peer.hello({ channel: "mixed" })
    for (let n = 0; n < 60; n++) {
      await mixedChannel.publish("tick", n)
      if (n % 3 === 0) peer.drain()
      await r.clock.settle()
    }
    const types = peer.received.map((message) => ("last" in message && message.last ? "end" : message.type))
    expect(types.slice(2, 15)).toEqual([...Array(10).fill("snapshot"), "end", "gap", "event"])
    expect(peer.last("gap")).toMatchObject({ collections: ["events"], snapshot: false })
  })
})
