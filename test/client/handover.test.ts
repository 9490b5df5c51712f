import { describe, expect, test } from "vitest"
import { type FakeLine, fakeServer, moved, subscribed, welcome } from "./fake-line.ts"

const lobby = { room: "lobby" }
const goaway = { type: "goaway", reason: "deploy", reconnect: true, afterMs: 500 } as const

/** A client that is subscribed, and was told to go. */
async function leaving() {
  const { client, clock, lines, last } = fakeServer()
  const room = client.channel("room/:room", lobby)
  const heard: number[] = []
  room.on("moved", (value) => heard.push(value))
  await clock.advance(1)
  const old = last()
  old.accept()
  old.say(subscribed, moved(1))
  old.take()
  const statuses: string[] = []
  client.on("status", (status) => statuses.push(status))
  return { client, clock, lines, last, room, heard, old, statuses }
}

const idsOf = (line: FakeLine) => line.take().flatMap((message) => ("id" in message ? [message] : []))

describe("a client that is told to go", () => {
  test("opens another line with its positions, and takes what the old one brings until the new one lets it in", async () => {
    const { clock, lines, last, heard, old, statuses } = await leaving()
    old.say(goaway)
    await clock.advance(499)
    expect(lines).toHaveLength(1)
    await clock.advance(1)
    expect(lines).toHaveLength(2)
    last().open()
    expect(last().take()).toMatchObject([
      { type: "hello", subscriptions: [{ channel: "room/lobby", position: { offset: 1 } }] },
    ])
    old.say(moved(2))
    last().say(welcome)
    expect(old.closedWith()).toBe(4408)
    // of the old line, nothing counts any more; of the new one, what was told already does not
    old.say(moved(3))
    last().take()
    last().say({ ...subscribed, position: { epoch: "e", offset: 1 }, top: 4 }, moved(2), moved(3))
    const position = { epoch: "e", offset: 2 }
    // the old one went on while the new one was asked
    expect(last().take()).toEqual([{ type: "subscribe", channel: "room/lobby", position }])
    last().say({ ...subscribed, position, top: 4 }, moved(3), moved(4))
    expect(heard).toEqual([1, 2, 3, 4])
    expect(statuses).toEqual([])
  })

  test("misses nothing of a channel that both lines were asked for before either had answered", async () => {
    const { client, clock, last, old } = await leaving()
    const heard: number[] = []
    const other = client.channel("room/:room", { room: "other" })
    other.on("moved", (value) => heard.push(value))
    old.say(goaway)
    await clock.advance(500)
    last().open()
    old.say({ ...subscribed, channel: "room/other", alias: 2, position: { epoch: "e", offset: 5 } })
    last().say(welcome)
    last().take()
    last().say({ ...subscribed, channel: "room/other", alias: 2, position: { epoch: "e", offset: 8 } })
    expect(last().take()).toEqual([
      { type: "subscribe", channel: "room/other", position: { epoch: "e", offset: 5 } },
    ])
    expect(other.position?.offset).toBe(5)
  })

  test("has its calls answered over the old line, and sends again what has a key over the new one", async () => {
    const { clock, last, room, old } = await leaving()
    const call = room.call("double", 4)
    const publish = room.publish("moved", 9)
    await clock.advance(1)
    const [asked, published] = idsOf(old)
    old.say(goaway)
    await clock.advance(500)
    last().accept()
    expect(old.closedWith()).toBeUndefined()
    expect(idsOf(last())).toEqual([published])
    old.say({ type: "result", id: asked!.id, data: 8 })
    expect(await call).toBe(8)
    expect(old.closedWith()).toBe(4408)
    last().say({ type: "result", id: published!.id, position: { epoch: "e", offset: 2 } })
    expect(await publish).toMatchObject({ offset: 2 })
  })

  test("asks again to enter over the old line when the new one never lets it in", async () => {
    const { clock, lines, room, old } = await leaving()
    const entered = room.presence.enter({ name: "Ada" })
    await clock.advance(1)
    const [asked] = idsOf(old)
    old.say(goaway)
    await clock.advance(500)
    old.say({ type: "error", id: asked!.id, code: "superseded", message: "another line" })
    lines.at(-1)?.close(1006)
    await clock.advance(1_000)
    const [again] = idsOf(old)
    expect(again).toMatchObject({ type: "enter", data: { name: "Ada" } })
    old.say({ type: "result", id: again!.id })
    await entered
  })

  test("does not ask again to enter when it has left since", async () => {
    const { clock, room, old } = await leaving()
    const entered = room.presence.enter({ name: "Ada" })
    const outcome = expect(entered).rejects.toMatchObject({ code: "superseded" })
    await clock.advance(1)
    const [asked] = idsOf(old)
    old.say({ type: "error", id: asked!.id, code: "superseded", message: "another line" })
    const left = room.presence.leave()
    await clock.advance(1)
    old.say({ type: "result", id: idsOf(old)[0]!.id })
    await left
    await clock.advance(5_000)
    await outcome
    expect(idsOf(old)).toEqual([])
  })

  test("does not wait for the calls of the old line for ever", async () => {
    const { clock, last, room, old } = await leaving()
    const call = room.call("never", null, { timeoutMs: 60_000 })
    const outcome = expect(call).rejects.toMatchObject({ code: "connection_lost" })
    await clock.advance(1)
    old.say(goaway)
    await clock.advance(500)
    last().accept()
    await clock.advance(10_000)
    await outcome
    expect(old.closedWith()).toBe(4408)
  })

  test("gives the old line up when what comes over it is none of the protocol", async () => {
    const { client, clock, last, room, old } = await leaving()
    const errors: unknown[] = []
    client.on("error", (error) => errors.push(error))
    const outcome = expect(room.call("never", null)).rejects.toMatchObject({ code: "connection_lost" })
    await clock.advance(1)
    old.say(goaway)
    await clock.advance(500)
    last().accept()
    old.sayText("{")
    await outcome
    expect(old.closedWith()).toBe(4408)
    expect(client.status).toBe("open")
    expect(errors).toMatchObject([{ code: "invalid_message" }])
  })

  test("asks the new line for what was subscribed to in between, and not for what was left", async () => {
    const { client, clock, last, room, old } = await leaving()
    old.say(goaway)
    await clock.advance(500)
    last().open()
    last().take()
    room.close()
    client.channel("room/:room", { room: "other" }).subscribe()
    last().say(welcome)
    expect(last().take()).toEqual([
      { type: "unsubscribe", channel: "room/lobby" },
      { type: "subscribe", channel: "room/other" },
    ])
  })

  test("asks again over the new line for what the log could not serve over the old one", async () => {
    const { clock, last, old } = await leaving()
    old.say(goaway)
    await clock.advance(400)
    old.say({ type: "unsubscribed", channel: "room/lobby", code: "log_unavailable", message: "later" })
    await clock.advance(100)
    last().accept()
    last().take()
    await clock.advance(2_000)
    expect(last().take()).toMatchObject([{ type: "subscribe", channel: "room/lobby" }])
  })

  test("goes on with the new line when the old one is cut in between", async () => {
    const { clock, lines, last, heard, old, statuses } = await leaving()
    old.say(goaway)
    await clock.advance(500)
    last().open()
    old.close(1006)
    last().say(welcome)
    last().say({ ...subscribed, position: { epoch: "e", offset: 1 } }, moved(2))
    expect(heard).toEqual([1, 2])
    expect(lines).toHaveLength(2)
    expect(statuses).toEqual(["connecting", "open"])
  })
})

test("a client tells whether the server can reach its log", async () => {
  const { client, clock, last } = fakeServer()
  await clock.advance(1)
  const told: boolean[] = []
  client.on("log", (available) => told.push(available))
  last().say(welcome)
  expect(client.logAvailable).toBe(true)
  last().say({ type: "log", available: false })
  expect(client.logAvailable).toBe(false)
  // each poll brings a welcome, and behind it how it is
  for (let poll = 0; poll < 3; poll++) {
    last().say(welcome)
    last().say({ type: "log", available: false })
    await clock.advance(1)
  }
  expect(told).toEqual([false])
  last().say({ type: "log", available: true })
  last().say({ type: "log", available: false })
  last().say(welcome)
  await clock.advance(1)
  expect(told).toEqual([false, true, false, true])
})

test("a client that comes by several transports tells which of them it uses", async () => {
  const opened: string[] = []
  const line = { send: () => {}, close: () => {}, bufferedBytes: () => 0 }
  const { client, clock } = fakeServer({
    transport: ["good", "poor"].map((name) => ({
      name,
      open: (_, events) => {
        opened.push(name)
        if (name === "poor") queueMicrotask(() => events.onMessage(JSON.stringify(welcome)))
        return line
      },
    })),
  })
  const told: string[] = []
  client.on("transport", (name) => told.push(name))
  expect(client.transport).toBeUndefined()
  await clock.advance(3_000)
  await clock.advance(1)
  expect(opened).toEqual(["good", "poor"])
  expect(told).toEqual(["poor"])
  expect(client.transport).toBe("poor")
})
