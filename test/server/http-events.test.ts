import { spawn } from "node:child_process"
import { once } from "node:events"
import { request } from "node:http"
import { createInterface } from "node:readline"
import { describe, expect, onTestFinished, test } from "vitest"
import { startTestHub } from "./support/hubs.ts"
import { openEvents, startNodes } from "./support/plain-http.ts"

const lobby = "events?channel=room/lobby"

describe("a stream of server-sent events", () => {
  test("tells what is published, with the position as the id, in a form that proxies pass on", async () => {
    const { hubs, base } = await startNodes(1)
    const stream = await openEvents(`${base()}/${lobby}`)
    expect(stream.status).toBe(200)
    expect(stream.headers.get("content-type")).toBe("text/event-stream")
    expect(stream.headers.get("cache-control")).toBe("no-store")
    expect(stream.headers.get("x-accel-buffering")).toBe("no")
    expect(await stream.next("welcome")).toMatchObject({ id: undefined })
    const room = hubs[0]!.channel("room/:room", { room: "lobby" })
    const { epoch, offset } = await room.publish("said", { text: "one" })
    expect(await stream.next("event")).toMatchObject({
      id: `${epoch}:${offset}`,
      message: { name: "said", data: { text: "one" }, offset },
    })
  })

  test("goes on at another node behind the event that was seen last", async () => {
    const { hubs, base } = await startNodes(2)
    const room = hubs[0]!.channel("room/:room", { room: "lobby" })
    let lastEventId: string | undefined
    for (let round = 0; round < 6; round++) {
      const headers: Record<string, string> =
        lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId }
      const stream = await openEvents(`${base()}/${lobby}&history=all`, headers)
      await room.publish("said", { text: `${round}` })
      const heard = await stream.next("event")
      expect(heard?.message).toMatchObject({ data: { text: `${round}` } })
      lastEventId = heard?.id
      stream.close()
    }
  })

  test("starts where the address says", async () => {
    const { hubs, base } = await startNodes(1)
    const room = hubs[0]!.channel("room/:room", { room: "lobby" })
    const { epoch, offset } = await room.publish("said", { text: "one" })
    await room.publish("said", { text: "two" })
    const texts = async (query: string) => {
      const stream = await openEvents(`${base()}/${lobby}&${query}`)
      return (await stream.next("event"))?.message.data
    }
    expect(await texts("history=all")).toEqual({ text: "one" })
    expect(await texts("history=1")).toEqual({ text: "two" })
    expect(await texts(`position=${epoch}:${offset}`)).toEqual({ text: "two" })
  })

  test("of several channels takes a position for each, in their order", async () => {
    const { hubs, base } = await startNodes(1)
    const at = async (room: string) => {
      const channel = hubs[0]!.channel("room/:room", { room })
      const { epoch, offset } = await channel.publish("said", { text: "before" })
      await channel.publish("said", { text: `behind ${room}` })
      return `${epoch}:${offset}`
    }
    const [a, b] = [await at("a"), await at("b")]
    const stream = await openEvents(
      `${base()}/events?channel=room/a&channel=room/b&position=${a}&position=${b}`,
    )
    const heard = [await stream.next("event"), await stream.next("event")].map((each) => each?.message.data)
    expect(heard).toEqual(expect.arrayContaining([{ text: "behind a" }, { text: "behind b" }]))
  })

  test("can be asked for by POST, as a poll is, and by a session", async () => {
    const { hubs, base } = await startNodes(1)
    const body = { session: crypto.randomUUID(), subscriptions: [{ channel: "room/lobby", history: "all" }] }
    await hubs[0]!.channel("room/:room", { room: "lobby" }).publish("said", { text: "one" })
    const stream = await openEvents(`${base()}/events`, { "Content-Type": "application/json" }, body)
    expect((await stream.next("event"))?.message.data).toEqual({ text: "one" })
  })

  test("gives the snapshot an id only when it is complete, and the gap none before its snapshot", async () => {
    const { hubs, base } = await startNodes(1)
    await hubs[0]!.channel("room/:room", { room: "lobby" }).set("topic", "main", "boats")
    const fresh = await openEvents(`${base()}/${lobby}`)
    expect((await fresh.next("subscribed"))?.id).toBeUndefined()
    const snapshot = await fresh.next("snapshot")
    expect(snapshot).toMatchObject({ message: { entries: [{ key: "main", data: "boats" }], last: true } })
    expect(snapshot?.id).toMatch(/:1$/)
    const lost = await openEvents(`${base()}/${lobby}`, { "Last-Event-ID": "an%20older%20life:7" })
    const gap = await lost.next("gap")
    expect(gap).toMatchObject({
      id: undefined,
      message: { reason: "new-epoch", from: { epoch: "an older life" } },
    })
    expect((await lost.next("snapshot"))?.id).toMatch(/:\d+$/)
  })

  test("pings, and lives on though its peer has no way to answer", async () => {
    const { hubs, base } = await startNodes(1, { limits: { heartbeatMs: 50 } })
    const stream = await openEvents(`${base()}/${lobby}`)
    for (let n = 0; n < 6; n++) expect(await stream.next("ping")).toMatchObject({ id: undefined })
    await hubs[0]!.channel("room/:room", { room: "lobby" }).publish("said", { text: "still here" })
    expect((await stream.next("event"))?.message.data).toEqual({ text: "still here" })
  })

  test("ends with a goaway that says to come back", async () => {
    const { hubs, base } = await startNodes(1)
    const stream = await openEvents(`${base()}/${lobby}`)
    await stream.next("subscribed")
    const closed = hubs[0]!.close()
    expect((await stream.next("goaway"))?.message).toMatchObject({ reconnect: true })
    expect(await stream.next("event")).toBeUndefined()
    await closed
  })

  test("that is read late, and slowly, misses nothing", async () => {
    const { hub, url } = await startTestHub({ limits: { highWaterBytes: 16_384 } })
    const room = hub.channel("room/:room", { room: "lobby" })
    const stream = request(`${url.replace(/^ws/, "http")}/${lobby}`).end()
    onTestFinished(() => void stream.destroy())
    const [response] = await once(stream, "response")
    // when the test is over, it is cut
    response.on("error", () => undefined)
    const text = "x".repeat(20_000)
    const count = 700
    for (let n = 0; n < count; n++) await room.publish("said", { text: `${n} ${text}` })
    const heard: number[] = []
    const lines = createInterface(response)
    for (const each of [stream, lines]) each.on("error", () => undefined)
    for await (const line of lines) {
      const found = /"name":"said","data":\{"text":"(\d+) /.exec(line)
      if (found !== null) heard.push(Number(found[1]))
      if (heard.length === count) break
    }
    expect(heard).toEqual(Array.from({ length: count }, (_, n) => n))
  })

  test("that nobody reads is ended", async () => {
    const { hub, url } = await startTestHub({ limits: { highWaterBytes: 16_384, heartbeatMs: 100 } })
    const room = hub.channel("room/:room", { room: "lobby" })
    const stream = request(`${url.replace(/^ws/, "http")}/${lobby}`).end()
    onTestFinished(() => void stream.destroy())
    stream.on("error", () => undefined)
    const [response] = await once(stream, "response")
    response.on("error", () => undefined)
    response.pause()
    expect([...hub.connections()]).toHaveLength(1)
    for (let n = 0; n < 700; n++) await room.publish("said", { text: "x".repeat(20_000) })
    while ([...hub.connections()].length > 0) await new Promise((resolve) => setImmediate(resolve))
  })

  test("can be read with nothing but curl", async () => {
    const { hubs, base } = await startNodes(1)
    await hubs[0]!.channel("room/:room", { room: "lobby" }).publish("said", { text: "to a shell" })
    const curl = spawn("curl", ["-sN", `${base()}/${lobby}&history=all`])
    const missing = once(curl, "error").then(() => true)
    onTestFinished(() => void curl.kill())
    const read = (async () => {
      for await (const line of createInterface(curl.stdout)) if (line.includes("to a shell")) return line
      return undefined
    })()
    const line = await Promise.race([read, missing])
    if (line !== true) expect(line).toMatch(/^data: \{"type":"event"/)
  })
})
