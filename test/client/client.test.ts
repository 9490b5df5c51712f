import { connect } from "holdfast/client"
import { describe, expect, test, vi } from "vitest"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { fakeServer, moved, subscribed, welcome } from "./fake-line.ts"

const lobby = { room: "lobby" }

function joined(options = {}) {
  const server = fakeServer(options)
  const room = server.client.channel("room/:room", lobby)
  room.subscribe()
  server.last().accept()
  server.last().say(subscribed)
  server.last().take()
  return { ...server, room }
}

const codes = (settled: PromiseSettledResult<unknown>[]) =>
  settled.map((each) => (each.status === "rejected" ? each.reason.code : "fulfilled"))

describe("connecting", () => {
  test.each([
    ["wss://example.com", "wss://example.com/holdfast"],
    ["https://example.com/", "wss://example.com/holdfast"],
    ["http://localhost:8080/live?x=1", "ws://localhost:8080/live?x=1"],
  ])("%s leads to %s", (url, address) => {
    const urls: string[] = []
    const open = (opened: string) => {
      urls.push(opened)
      return { send: vi.fn(), close: vi.fn(), bufferedBytes: () => 0 }
    }
    connect(url, { transport: { open } }).close()
    expect(urls).toEqual([address])
  })

  test("says hello with the session and every channel that is listened to", () => {
    const { client, last } = fakeServer({ session: "s".repeat(22) })
    client.channel("room/:room", lobby, { history: { last: 5 } }).on("moved", () => undefined)
    client.channel("room/:room", { room: "quiet" })
    last().open()
    expect(last().take()).toEqual([
      {
        type: "hello",
        session: "s".repeat(22),
        subscriptions: [{ channel: "room/lobby", history: { last: 5 } }],
      },
    ])
  })

  test("with more channels than one message should carry, the others follow behind the welcome", () => {
    const { client, last } = fakeServer()
    for (let room = 0; room < 130; room++) client.channel("room/:room", { room: `${room}` }).subscribe()
    last().open()
    const [hello] = last().take()
    expect(hello?.type === "hello" && hello.subscriptions).toHaveLength(100)
    last().accept()
    expect(
      last()
        .take()
        .filter(({ type }) => type === "subscribe"),
    ).toHaveLength(30)
  })

  test("a transport that cannot even open is tried again", async () => {
    const clock = virtualClock()
    let opens = 0
    const failing = connect("wss://example.com", {
      clock,
      transport: {
        open: () => {
          opens++
          throw new Error("blocked")
        },
      },
    })
    const errors: unknown[] = []
    failing.on("error", (error) => errors.push((error as Error).message))
    expect(failing.status).toBe("waiting")
    await clock.advance(1_000)
    expect(opens).toBeGreaterThan(1)
    expect(errors[0]).toBe("blocked")
  })

  test("a line that was given up is not listened to any more", async () => {
    const { clock, client, lines } = fakeServer({ connectTimeoutMs: 1_000 })
    await clock.advance(2_000)
    expect(lines.length).toBeGreaterThan(1)
    expect(lines[0]?.closedWith()).toBe(4408)
    lines[0]?.accept()
    expect(client.status).not.toBe("open")
    lines[0]?.close(1000)
    expect(client.status).not.toBe("closed")
  })

  test("a line that cannot be sent over is given up for another, and nothing is lost", async () => {
    const { clock, client, last } = fakeServer()
    const errors: unknown[] = []
    client.on("error", (error) => errors.push((error as Error).message))
    last().accept()
    last().breakSending()
    void client.channel("room/:room", lobby).publish("moved", 1)
    expect(client.status).toBe("waiting")
    await clock.advance(1_000)
    last().accept()
    expect(last().take()).toMatchObject([{ type: "hello" }, { type: "publish", data: 1 }])
    expect(errors).toEqual(["cannot send"])
  })

  test("tells each status once", async () => {
    const { clock, client, last } = fakeServer()
    const told: string[] = []
    client.on("status", (status) => told.push(status))
    last().accept()
    last().say({ type: "ping" })
    last().close(1006)
    await clock.advance(1_000)
    last().accept()
    client.close()
    expect(told).toEqual(["open", "waiting", "connecting", "open", "closed"])
  })

  test("leaves no timer behind when it is closed", async () => {
    const { clock, client, room } = joined()
    void room.publish("moved", 1, { timeoutMs: 5_000 }).catch(() => undefined)
    client.close()
    expect(clock.nextDueMs()).toBeUndefined()
  })

  test("what is none of the protocol costs the server the line", async () => {
    const { client, last } = joined()
    const errors: unknown[] = []
    client.on("error", (error) => errors.push((error as { code?: string }).code))
    last().sayText("not JSON")
    expect(errors).toEqual(["invalid_message"])
    expect(last().closedWith()).toBe(4400)
    expect(client.status).toBe("waiting")
  })
})

describe("a channel", () => {
  test("of the same name is the same object, until it is closed", () => {
    const { client } = fakeServer()
    const room = client.channel("room/:room", lobby)
    expect(client.channel("room/:room", { room: "lobby" })).toBe(room)
    room.close()
    expect(client.channel("room/:room", lobby)).not.toBe(room)
  })

  test("is asked for with the first listener, not before, and once", () => {
    const { client, last } = fakeServer()
    last().accept()
    const room = client.channel("room/:room", lobby)
    last().take()
    void room.publish("moved", 1)
    expect(last().take()).toMatchObject([{ type: "publish" }])
    expect(room.status).toBe("idle")
    room.on("moved", () => undefined)
    room.onGap(() => undefined)
    expect(room.state("price").get("A")).toBeUndefined()
    expect(last().take()).toEqual([{ type: "subscribe", channel: "room/lobby" }])
  })

  test("is ready when it is live", async () => {
    const { client, last } = fakeServer()
    const ready = client.channel("room/:room", lobby).ready()
    last().accept()
    last().say(subscribed)
    await ready
    await client.channel("room/:room", lobby).ready()
  })

  test("that is closed hears nothing more, and the server is told", async () => {
    const { room, last } = joined()
    const heard: number[] = []
    room.on("moved", (step) => {
      heard.push(step)
      room.close()
    })
    const iterating = room.events()
    last().say(moved(1), moved(2))
    expect(heard).toEqual([1])
    expect(last().take()).toEqual([{ type: "unsubscribe", channel: "room/lobby" }])
    expect(await iterating.next()).toMatchObject({ value: { data: 1 } })
    expect(await iterating.next()).toMatchObject({ done: true })
    expect(() => room.on("moved", () => undefined)).toThrow(expect.objectContaining({ code: "closed" }))
    await expect(room.publish("moved", 1)).rejects.toMatchObject({ code: "closed" })
  })

  test("that is opened again starts anew, also while entries of the old subscription come in", () => {
    const { client, room, last } = joined()
    last().say(moved(1))
    room.close()
    const again = client.channel("room/:room", lobby)
    const heard: number[] = []
    again.on("moved", (step) => heard.push(step))
    expect(last().take()).toMatchObject([{ type: "unsubscribe" }, { type: "subscribe" }])
    last().say(moved(2))
    last().say({ ...subscribed, position: { epoch: "e", offset: 2 } }, moved(3))
    expect(heard).toEqual([3])
  })

  test("that is refused says so, once, and asks again when told to or over a new line", async () => {
    const { client, clock, last } = fakeServer()
    const room = client.channel("room/:room", lobby)
    const errors: string[] = []
    room.onError(({ code }) => errors.push(code))
    const ready = room.ready()
    const iterating = room.events()
    last().accept()
    const refusal = {
      type: "unsubscribed",
      channel: "room/lobby",
      code: "not_allowed",
      message: "no",
    } as const
    last().say(refusal)
    last().take()
    await expect(ready).rejects.toMatchObject({ code: "not_allowed" })
    await expect(room.ready()).rejects.toMatchObject({ code: "not_allowed" })
    await expect(iterating.next()).rejects.toMatchObject({ code: "not_allowed" })
    room.on("moved", () => undefined)
    expect(last().take()).toEqual([])
    expect(room.status).toBe("refused")
    room.subscribe()
    expect(last().take()).toEqual([{ type: "subscribe", channel: "room/lobby" }])
    last().say(refusal)
    last().close(1006)
    await clock.advance(1_000)
    last().open()
    expect(last().take()).toMatchObject([{ type: "hello", subscriptions: [{ channel: "room/lobby" }] }])
    expect(errors).toEqual(["not_allowed", "not_allowed"])
  })

  test("whose log cannot be read at the moment is asked for again by itself", async () => {
    const { clock, room, last } = joined()
    last().say(moved(1))
    last().say({ type: "unsubscribed", channel: "room/lobby", code: "log_unavailable", message: "later" })
    await clock.advance(2_000)
    expect(last().take()).toEqual([
      { type: "subscribe", channel: "room/lobby", position: { epoch: "e", offset: 1 } },
    ])
    last().say({ ...subscribed, position: { epoch: "e", offset: 1 } })
    expect(room.status).toBe("live")
  })

  test("that is asked for again stands still until the answer, as the server goes on from there", async () => {
    const { clock, room, last } = joined()
    const heard: number[] = []
    room.on("moved", (step) => heard.push(step))
    last().say({ type: "unsubscribed", channel: "room/lobby", code: "log_unavailable", message: "later" })
    await clock.advance(1_000)
    expect(last().take()).toMatchObject([{ type: "subscribe", position: { offset: 0 } }])
    last().say(moved(1))
    expect(room.position?.offset).toBe(0)
    last().say(subscribed, moved(1), moved(2))
    expect(heard).toEqual([1, 2])
  })

  test("goes on when another one is closed whose number it has over the new line", async () => {
    const { client, clock, room, last } = joined()
    const other = client.channel("room/:room", { room: "other" })
    other.subscribe()
    last().say({ ...subscribed, channel: "room/other", alias: 2 })
    last().close(1006)
    await clock.advance(1_000)
    last().accept()
    last().say({ ...subscribed, alias: 2 })
    other.close()
    last().say({ type: "event", alias: 2, offset: 1, at: 0, name: "moved", data: 1 })
    expect(room.position?.offset).toBe(1)
  })

  test("whose log could not be read is asked for once over a new line, which came before the time to ask again", async () => {
    const { clock, last } = joined()
    last().say({ type: "unsubscribed", channel: "room/lobby", code: "log_unavailable", message: "later" })
    last().close(1006)
    await clock.advance(500)
    last().open()
    last().say(welcome, subscribed)
    last().take()
    await clock.advance(5_000)
    expect(last().take()).toEqual([])
  })
})

describe("listeners", () => {
  test("that throw neither stop the others nor the client; the error is told", () => {
    const { client, room, last } = joined()
    const errors: unknown[] = []
    const heard: number[] = []
    client.on("error", (error) => errors.push((error as Error).message))
    room.on("moved", () => {
      throw new Error("mine")
    })
    room.on("moved", (step) => heard.push(step))
    last().say(moved(1), moved(2))
    expect(heard).toEqual([1, 2])
    expect(errors).toEqual(["mine", "mine"])
    expect(room.position?.offset).toBe(2)
  })

  test("may do anything with the client", () => {
    const { client, room, last } = joined()
    const told: unknown[] = []
    room.on("moved", (step) => {
      told.push(step)
      if (step === 1) {
        void room.publish("moved", 10).catch(() => undefined)
        room.on("moved", (again) => told.push(`late ${again}`))
      }
      if (step === 2) client.reconnect()
      if (step === 3) client.close()
    })
    last().say(moved(1))
    expect(last().take()).toMatchObject([{ type: "publish", data: 10 }])
    last().say(moved(2))
    expect(client.status).toBe("connecting")
    last().accept()
    last().say({ ...subscribed, position: { epoch: "e", offset: 2 } }, moved(3))
    expect(client.status).toBe("closed")
    expect(told).toEqual([1, 2, "late 2", 3, "late 3"])
  })

  test("can be taken off, one at a time", () => {
    const { room, last } = joined()
    const heard: number[] = []
    const listener = (step: number) => heard.push(step)
    const off = room.on("moved", listener)
    room.on("moved", listener)
    last().say(moved(1))
    off()
    off()
    last().say(moved(2))
    expect(heard).toEqual([1, 1, 2])
  })

  test("that are taken off by another are not told any more", () => {
    const { room, last } = joined()
    const heard: number[] = []
    const offs: (() => void)[] = []
    room.on("moved", () => {
      for (const off of offs) off()
    })
    offs.push(room.on("moved", (step) => heard.push(step)))
    last().say(moved(1))
    expect(heard).toEqual([])
  })

  test("of states find a snapshot complete", () => {
    const { client, last } = fakeServer()
    const price = client.channel("room/:room", lobby).state("price")
    const seen: unknown[] = []
    price.onChange(({ key }) => seen.push([key, price.size]))
    last().accept()
    const value = (offset: number, key: string) =>
      ({ type: "set", offset, at: 0, name: "price", key, data: offset }) as const
    last().say(
      { ...subscribed, snapshot: true },
      { type: "snapshot", alias: 1, offset: 2, entries: [value(1, "A")], last: false },
      { type: "snapshot", alias: 1, offset: 2, entries: [value(2, "B")], last: true },
    )
    expect(seen).toEqual([
      ["A", 2],
      ["B", 2],
    ])
  })
})

describe("publishing", () => {
  test("repeats what is unanswered with the same key, in order, and settles by the answer", async () => {
    const { clock, room, last } = joined()
    const published = [room.publish("moved", 1), room.publish("moved", 2), room.state("price").set("A", 3)]
    const first = last().take()
    last().close(1006)
    const late = room.publish("moved", 4)
    await clock.advance(1_000)
    last().accept()
    const [, ...again] = last().take()
    expect(again.slice(0, 3)).toEqual(first)
    expect(again).toMatchObject([{ data: 1 }, { data: 2 }, { key: "A", data: 3 }, { data: 4 }])
    expect(new Set(again.map((each) => "idempotencyKey" in each && each.idempotencyKey)).size).toBe(4)
    for (const [index, each] of again.entries()) {
      const position = { epoch: "e", offset: index + 1 }
      if ("id" in each) last().say({ type: "result", id: each.id, position })
    }
    expect((await Promise.all([...published, late])).map(({ offset }) => offset)).toEqual([1, 2, 3, 4])
  })

  test("keeps what was passed as it was then", async () => {
    const { client, last } = fakeServer()
    const data = { text: "before" }
    void client.channel("room/:room", lobby).publish("said", data)
    data.text = "after"
    last().accept()
    expect(last().take()[1]).toMatchObject({ data: { text: "before" } })
  })

  test("refuses at once what cannot travel, is too large, or is too much", async () => {
    const { room, last } = joined({ outbox: { entriesMax: 2 } })
    await expect(room.publish("said", { text: (() => 1) as never })).rejects.toMatchObject({
      code: "invalid_value",
      path: "text",
    })
    await expect(room.publish("said", { text: "x".repeat(1_000) })).rejects.toMatchObject({
      code: "message_too_large",
      limit: 1_000,
    })
    void room.publish("moved", 1)
    void room.publish("moved", 2)
    await expect(room.publish("moved", 3)).rejects.toMatchObject({ code: "outbox_full", limit: 2 })
    expect(last().take()).toHaveLength(2)
  })

  test("gives up after a deadline, if there is one", async () => {
    const { clock, room, last } = joined({ publishTimeoutMs: 5_000 })
    last().close(1006)
    const published = room.publish("moved", 1)
    await Promise.all([expect(published).rejects.toMatchObject({ code: "timeout" }), clock.advance(5_000)])
  })

  test("settles everything when the client is closed", async () => {
    const { client, room } = joined()
    const waiting = Promise.allSettled([
      room.publish("moved", 1),
      room.state("price").set("A", 1),
      room.presence.enter({ name: "Ada" }),
      room.call("double", 1),
      client.channel("room/:room", { room: "other" }).ready(),
    ])
    client.close()
    expect(codes(await waiting)).toEqual(Array(5).fill("closed"))
    expect(() => client.channel("room/:room", { room: "new" })).toThrow()
    expect(() => room.signal("typing", {})).toThrow(expect.objectContaining({ code: "closed" }))
  })
})

describe("signals", () => {
  test("leave only when they can leave now", async () => {
    const { clock, room, last } = joined()
    room.signal("typing", {})
    last().bufferedBytes = 1_000_000
    room.signal("typing", {})
    last().bufferedBytes = 0
    last().close(1006)
    room.signal("typing", {})
    await clock.advance(1_000)
    last().open()
    room.signal("typing", {})
    expect(last().take()).toMatchObject([{ type: "hello" }])
  })

  test("that are refused are told as an error of the client", () => {
    const { client, last } = joined()
    const errors: unknown[] = []
    client.on("error", (error) => errors.push(error))
    last().say({ type: "error", channel: "room/lobby", code: "not_allowed", message: "no" })
    expect(errors).toMatchObject([{ code: "not_allowed", message: "no" }])
  })
})

describe("presence", () => {
  test("is entered again over every new line, with the latest data, until it is left", async () => {
    const { clock, client, room, last } = joined()
    const entering = room.presence.enter({ name: "Ada" })
    const [enter] = last().take()
    last().say({ type: "result", id: (enter as { id: number }).id })
    await entering

    last().close(1006)
    await clock.advance(1_000)
    last().accept()
    const [hello, again] = last().take()
    expect([hello, again]).toMatchObject([{ type: "hello" }, { type: "enter", data: { name: "Ada" } }])
    last().say({ type: "result", id: (again as { id: number }).id })
    await clock.settle()

    const changing = room.presence.enter({ name: "Countess" })
    const [change] = last().take()
    last().close(1006)
    await clock.advance(2_000)
    last().accept()
    // unanswered, so it is asked for again, with a higher version, and not both
    const { version } = change as { version: number }
    const [, repeated, ...more] = last().take()
    expect([repeated, more]).toMatchObject([{ ...change, version: expect.any(Number) }, []])
    expect((repeated as { version: number }).version).toBeGreaterThan(version)
    last().say({ type: "result", id: (change as { id: number }).id })
    await changing

    const leaving = room.presence.leave()
    const [leave] = last().take()
    last().say({ type: "result", id: (leave as { id: number }).id })
    await leaving
    client.reconnect()
    last().accept()
    expect(last().take()).toMatchObject([{ type: "hello" }])
  })

  test("is asked for until the log has taken it, and so is leaving, each time with a higher version", async () => {
    const { clock, client, room, last } = joined()
    const versions: number[] = []
    const answer = async (type: string, code?: "log_unavailable" | "in_doubt") => {
      const { id, version } = last()
        .take()
        .find((message) => message.type === type) as { id: number; version: number }
      versions.push(version)
      last().say(code ? { type: "error", id, code, message: "later" } : { type: "result", id })
      await clock.settle()
    }
    const entered = room.presence.enter({ name: "Ada" })
    await clock.settle()
    client.reconnect()
    last().accept()
    await answer("enter", "log_unavailable")
    await clock.advance(1_000)
    await answer("enter", "in_doubt")
    await clock.advance(1_000)
    await answer("enter")
    await entered
    const left = room.presence.leave()
    await answer("leave", "log_unavailable")
    await clock.advance(1_000)
    await answer("leave")
    await left
    await clock.advance(5_000)
    expect(last().take()).toEqual([])
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
  })

  test("is left with its channel, however much waits for an answer", async () => {
    const { clock, room, last } = joined({ outbox: { entriesMax: 2 } })
    void room.presence.enter({ name: "Ada" })
    void room.publish("moved", 1)
    await clock.settle()
    room.close()
    await clock.settle()
    expect(last().take()).toMatchObject([
      { type: "enter" },
      { type: "publish" },
      { type: "leave" },
      { type: "unsubscribe" },
    ])
  })

  test("is what was taken last, though what came before it was refused at once with it", async () => {
    const { clock, room, last } = joined()
    const enter = (name: string) => room.presence.enter({ name }).catch((error) => error.code)
    const answer = (code?: "not_allowed") => {
      for (const message of last().take()) {
        const { id, data } = message as { id: number; data: { name: string } }
        const refused = code !== undefined && data.name === "Bob"
        last().say(refused ? { type: "error", id, code, message: "no" } : { type: "result", id })
      }
    }
    const ada = enter("Ada")
    answer()
    await ada
    const [bob, cleo] = [enter("Bob"), enter("Cleo")]
    answer("not_allowed")
    expect(await bob).toBe("not_allowed")
    await cleo
    await clock.settle()
    for (const message of last().take()) expect(message).toMatchObject({ data: { name: "Cleo" } })
  })

  test("that the log could not take over a new line is entered again after a while, unless it was left", async () => {
    const { clock, client, room, last } = joined()
    const errors: unknown[] = []
    client.on("error", (error) => errors.push(error))
    const entering = room.presence.enter({ name: "Ada" })
    const answer = async (code?: "log_unavailable" | "in_doubt") => {
      const asked = last()
        .take()
        .find((message) => "id" in message) as { id: number; type: string }
      const { id } = asked
      last().say(code ? { type: "error", id, code, message: "later" } : { type: "result", id })
      await clock.settle()
      return asked.type
    }
    await answer()
    await entering
    client.reconnect()
    last().accept()
    expect(await answer("log_unavailable")).toBe("enter")
    await clock.advance(1_000)
    expect(await answer("in_doubt")).toBe("enter")
    const leaving = room.presence.leave()
    expect(await answer()).toBe("leave")
    await leaving
    await clock.advance(5_000)
    expect(last().take()).toEqual([])
    expect(errors).toEqual([])
  })

  test("that is refused later is told as an error of the client", async () => {
    const { clock, client, room, last } = joined()
    const errors: unknown[] = []
    client.on("error", (error) => errors.push((error as { code: string }).code))
    const entering = room.presence.enter({ name: "Ada" })
    const [enter] = last().take()
    last().say({ type: "result", id: (enter as { id: number }).id })
    await entering
    client.reconnect()
    last().accept()
    const again = last()
      .take()
      .find(({ type }) => type === "enter") as { id: number }
    last().say({ type: "error", id: again.id, code: "not_allowed", message: "not any more" })
    await clock.settle()
    expect(errors).toEqual(["not_allowed"])
  })
})

test("errors of the token function are told, and it is asked again", async () => {
  let asked = 0
  const { clock, client, lines } = fakeServer({
    token: () => {
      if (++asked < 3) throw new Error("no session")
      return "t"
    },
  })
  const errors: unknown[] = []
  client.on("error", (error) => errors.push((error as Error).message))
  await clock.advance(5_000)
  expect(errors).toEqual(["no session", "no session"])
  lines[0]?.open()
  expect(lines[0]?.take()).toMatchObject([{ type: "hello", token: "t" }])
})

test("a history that the server would end the connection for is refused at once", async () => {
  const { client, last } = joined()
  for (const count of [0, -1, 0.5, 10_001, Number.NaN]) {
    const open = () => client.channel("room/:room", { room: "other" }, { history: { last: count } })
    expect(open).toThrow(TypeError)
  }
  client.channel("room/:room", { room: "other" }, { history: { last: 10_000 } }).subscribe()
  expect(last().take()).toMatchObject([{ type: "subscribe", history: { last: 10_000 } }])
})
