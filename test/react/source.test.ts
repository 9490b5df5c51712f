import { channel, contract } from "holdfast"
import type { Client } from "holdfast/client"
import { testWorld } from "holdfast/testing"
import { expect, test } from "vitest"
import { z } from "zod"
import { BINDING, channelHandle } from "../../src/react/channel-handle.ts"
import type { ListedEvent } from "../../src/react/event-list.ts"
import type { Facet } from "../../src/react/shared-channel.ts"
import { type OpenChannel, Source } from "../../src/react/source.ts"

const app = contract({
  room: channel({
    events: { said: z.string() },
    state: { price: z.number() },
    presence: z.string(),
    signals: { typing: z.null() },
    keep: { events: 5 },
  }),
})

/** What hooks stand on, without React: frames come when the test says so. */
function rig() {
  const world = testWorld(app, {
    channels: {
      room: {
        subscribe: true,
        events: { said: ({ data }) => data },
        presence: ({ data }) => data,
        signals: { typing: ({ data }) => data },
      },
    },
  })
  const frames: (() => void)[] = []
  const nextFrame = (task: () => void) => void frames.push(task)
  const clients: Client<typeof app>[] = []
  const connect = () => {
    const client = world.connect()
    clients.push(client)
    return client as never
  }
  const source = new Source(connect, { timing: { nextFrame, after: world.clock.after }, lingerMs: 1_000 })
  const open: OpenChannel = (client) => (client as unknown as Client<typeof app>).channel("room") as never
  const handle = channelHandle(source, "room", open)
  /** As a component does that shows a facet. */
  const show = (facet: Facet) => {
    const key = JSON.stringify(facet)
    let told = 0
    const stop = handle[BINDING].hold((shared) => shared.view(key).watch(() => told++))
    return {
      stop,
      told: () => told,
      value: () => handle[BINDING].peek()?.peek(key)?.value,
    }
  }
  const frame = () => {
    for (const task of frames.splice(0)) task()
  }
  return { ...world, source, handle, show, frame, frames, clients }
}

const EVENTS = { of: "events", names: ["said"], last: 3 } as const
const texts = (list: unknown) => (list as ListedEvent[]).map(({ data }) => data)

test("what comes between two frames is told once, and shows at the same moment everywhere", async () => {
  const { clock, hub, show, frame } = rig()
  const events = show(EVENTS)
  const prices = show({ of: "state", name: "price" })
  await clock.advance(10)
  frame()
  for (let n = 1; n <= 16; n++) await hub.channel("room", {}).publish("said", `${n}`)
  await hub.channel("room", {}).set("price", "AAPL", 1)
  await clock.advance(10)
  const before = [events.told(), prices.told()]
  expect([events.value(), prices.value()]).toEqual([[], new Map()])
  frame()
  expect([events.told(), prices.told()]).toEqual(before.map((told) => told + 1))
  expect(texts(events.value())).toEqual(["14", "15", "16"])
  expect(prices.value()).toEqual(new Map([["AAPL", 1]]))
})

test("a value is the same object until it changes", async () => {
  const { clock, hub, show, frame } = rig()
  const events = show(EVENTS)
  const prices = show({ of: "state", name: "price" })
  await hub.channel("room", {}).publish("said", "one")
  await clock.advance(10)
  frame()
  const held = [events.value(), prices.value()]
  await hub.channel("room", {}).set("price", "AAPL", 1)
  await clock.advance(10)
  frame()
  expect(events.value()).toBe(held[0])
  expect(prices.value()).not.toBe(held[1])
  expect(held[1]).toEqual(new Map())
})

test("nothing is opened by looking, and all is closed some time after the last user", async () => {
  const { clock, source, handle, show, clients } = rig()
  expect(handle[BINDING].peek()).toBeUndefined()
  expect(source.connection.value.status).toBe("connecting")
  expect(clients).toEqual([])
  const [first, second] = [show(EVENTS), show(EVENTS)]
  expect(clients).toHaveLength(1)
  first.stop()
  await clock.advance(5_000)
  second.stop()
  await clock.advance(900)
  expect(clients[0]?.status).toBe("open")
  show(EVENTS).stop()
  await clock.advance(2_100)
  expect(clients[0]?.status).toBe("closed")
  expect(handle[BINDING].peek()).toBeUndefined()
  show(EVENTS)
  expect(clients).toHaveLength(2)
})

test("what is published when no component is left keeps the connection until it is answered", async () => {
  const { clock, handle, hub, clients } = rig()
  const position = handle.publish("said", "by nobody")
  expect(await clock.run(position)).toMatchObject({ offset: 1 })
  await clock.advance(3_000)
  expect(clients.map(({ status }) => status)).toEqual(["closed"])
  expect(await hub.channel("room", {}).history({ last: 1 })).toMatchObject([{ data: "by nobody" }])
})

test("a list of none holds none", async () => {
  const { clock, hub, show, frame } = rig()
  const events = show({ ...EVENTS, last: 0 })
  await clock.advance(10)
  await hub.channel("room", {}).publish("said", "one")
  await clock.advance(10)
  frame()
  expect(events.value()).toEqual([])
})

test("a gap stands at the event behind it, and each event has a key of its own", async () => {
  const { clock, hub, network, show, frame } = rig()
  const events = show({ ...EVENTS, last: 10 })
  const status = show({ of: "status" })
  await clock.advance(10)
  await hub.channel("room", {}).publish("said", "before")
  await clock.advance(10)
  for (const line of network.lines()) line.cut()
  for (let n = 1; n <= 10; n++) await hub.channel("room", {}).publish("said", `${n}`)
  await clock.advance(5_000)
  frame()
  const list = events.value() as ListedEvent[]
  expect(texts(list)).toEqual(["before", "6", "7", "8", "9", "10"])
  expect(list.map(({ gap }) => gap?.reason)).toEqual([undefined, "trimmed", ...Array(4).fill(undefined)])
  expect(new Set(list.map(({ key }) => key)).size).toBe(6)
  expect(status.value()).toMatchObject({ status: "live", gap: { reason: "trimmed" } })
})

test("a gap of another collection stands at no event", async () => {
  const { clock, hub, network, log, show, frame } = rig()
  const events = show(EVENTS)
  const status = show({ of: "status" })
  const room = hub.channel("room", {})
  await clock.advance(10)
  await room.set("price", "AAPL", 1)
  await room.publish("said", "before")
  await clock.advance(10)
  for (const line of network.lines()) line.cut()
  await room.delete("price", "AAPL")
  const retention = { entries: 0, forMs: 0, bytes: 0, removalsForMs: 0 }
  await log.trim("room", { "state/price": retention }, clock.now() + 1)
  await room.publish("said", "behind")
  await clock.advance(5_000)
  frame()
  expect(texts(events.value())).toEqual(["before", "behind"])
  expect((events.value() as ListedEvent[]).map(({ gap }) => gap)).toEqual([undefined, undefined])
  expect(status.value()).toMatchObject({ gap: { collections: ["state/price"] } })
})

test("the connection is shown, and is the same object as long as nothing changes but the time", async () => {
  const { clock, source, frame, network } = rig()
  source.watchConnection(() => {})
  await clock.advance(10)
  frame()
  const shown = source.connection.value
  expect(shown).toMatchObject({ status: "open", pending: 0, logAvailable: true })
  expect(shown.member).toBeDefined()
  source.connection.touch()
  frame()
  expect(source.connection.value).toBe(shown)
  network.refuse("hub")
  for (const line of network.lines()) line.cut()
  await clock.until(() => source.client?.status === "waiting")
  frame()
  expect(source.connection.value.retryInMs).toBeGreaterThanOrEqual(0)
})

test("signals are shown by sender, for some time each", async () => {
  const { clock, show, frame, connect } = rig()
  const typing = show({ of: "signals", name: "typing", forMs: 3_000 })
  const other = connect()
  await clock.run(other.channel("room").ready())
  other.channel("room").signal("typing", null)
  await clock.advance(2_000)
  other.channel("room").signal("typing", null)
  await clock.advance(2_000)
  frame()
  expect(typing.value()).toEqual(new Map([[other.member, null]]))
  await clock.advance(1_500)
  frame()
  expect(typing.value()).toEqual(new Map())
})

test("a connection that the server has ended for good is shown, and opens nothing anew", async () => {
  const { clock, hub, source, show, frame, clients, handle } = rig()
  const stop = source.watchConnection(() => {})
  const status = show({ of: "status" })
  await clock.advance(10)
  for (const connection of hub.connections()) connection.close("banned")
  await clock.advance(10)
  frame()
  expect(source.connection.value.status).toBe("closed")
  expect(status.value()).toMatchObject({ status: "closed", error: { code: "closed" } })
  show(EVENTS).stop()
  await expect(handle.publish("said", "no")).rejects.toMatchObject({ code: "closed" })
  expect(clients).toHaveLength(1)
  stop()
})

test("data that presence refuses is an error of the channel's status", async () => {
  const { clock, handle, show, frame } = rig()
  const status = show({ of: "status" })
  handle[BINDING].hold((shared) => shared.enter(7, "7"))
  await clock.advance(10)
  frame()
  expect(status.value()).toMatchObject({ status: "live", error: { code: "invalid_payload" } })
})
