import { channel, contract } from "holdfast"
import { testWorld } from "holdfast/testing"
import { describe, expect, test } from "vitest"
import { z } from "zod"

const app = contract({
  "room/:room": channel({
    events: { said: z.number() },
    calls: { double: { input: z.number(), output: z.number() } },
    keep: { events: 1_000 },
  }),
})

const lobby = { room: "lobby" }
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** A hub, and a client that listens to one room. */
function joined() {
  const doubled: number[] = []
  const world = testWorld(app, {
    limits: { heartbeatMs: 25_000, pageEntriesMax: 10 },
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data },
        calls: {
          double: ({ input }) => {
            doubled.push(input)
            return 2 * input
          },
        },
      },
    },
  })
  const { clock, network } = world
  const room = world.connect({ name: "ada" }).channel("room/:room", lobby)
  const heard: number[] = []
  const gaps: unknown[] = []
  room.on("said", (step) => heard.push(step))
  room.onGap((gap) => gaps.push(gap))
  const publish = async (from: number, to = from) => {
    const server = world.hub.channel("room/:room", lobby)
    for (const step of numbers(from, to)) await clock.run(server.publish("said", step))
  }
  const line = () => network.lines("ada").find((each) => each.isOpen())
  return { ...world, world, room, heard, gaps, doubled, publish, line }
}

describe("nothing is lost, doubled or told as lost by", () => {
  test("a session that never received an event", async () => {
    const { clock, room, heard, gaps, publish, line } = joined()
    await clock.run(room.ready())
    line()?.cut()
    await publish(1, 5)
    await clock.until(() => heard.length === 5)
    expect(heard).toEqual(numbers(1, 5))
    expect(gaps).toEqual([])
  })

  test("one idle for longer than any window", async () => {
    const { clock, room, heard, gaps, publish, line } = joined()
    await clock.run(room.ready())
    await publish(1)
    // the idempotency window is five minutes, the presence grace three seconds
    await clock.advance(24 * 3_600_000)
    await publish(2)
    line()?.cut()
    await publish(3)
    await clock.until(() => heard.length === 3)
    expect(heard).toEqual([1, 2, 3])
    expect(gaps).toEqual([])
  })

  test("one that was offline for a day, while nothing was published", async () => {
    const { clock, network, room, heard, gaps, publish, hub } = joined()
    await clock.run(room.ready())
    await publish(1)
    await clock.until(() => heard.length === 1)
    network.fail("hub")
    await clock.advance(24 * 3_600_000)
    network.serve("hub", hub)
    await clock.run(room.ready())
    await publish(2)
    await clock.until(() => heard.length === 2)
    expect(gaps).toEqual([])
    expect(room.stats).toMatchObject({ delivered: 2, duplicates: 0 })
  })

  test("a reconnect to a server that restarted", async () => {
    const { clock, world, room, heard, gaps, publish } = joined()
    await clock.run(room.ready())
    await publish(1, 3)
    // what the server had not told when it crashed is told by the next one
    world.restart()
    await publish(4, 6)
    await clock.until(() => heard.length === 6)
    expect(heard).toEqual(numbers(1, 6))
    expect(gaps).toEqual([])
  })

  test.each([
    ["on its way to the server", 0.5],
    ["taken, and its answer on the way", 1.5],
  ])("an acknowledged publish in flight when the line was cut: %s", async (_where, ms) => {
    const { clock, hub, room, heard, line } = joined()
    await clock.run(room.ready())
    const published = room.publish("said", 1)
    await clock.advance(ms)
    line()?.cut()
    expect(await clock.run(published)).toMatchObject({ offset: 1 })
    await clock.run(room.publish("said", 2))
    await clock.until(() => heard.length === 2)
    expect(heard).toEqual([1, 2])
    const history = await hub.channel("room/:room", lobby).history({ last: 10 })
    expect(history.map(({ data }) => data)).toEqual([1, 2])
  })

  test("a call in flight when the line was cut: it is told, and not carried out twice", async () => {
    const { clock, room, doubled, line } = joined()
    await clock.run(room.ready())
    const call = room.call("double", 21)
    await clock.advance(1.5)
    line()?.cut()
    await expect(call).rejects.toMatchObject({ code: "connection_lost" })
    await clock.advance(60_000)
    expect(doubled).toEqual([21])
    expect(await clock.run(room.call("double", 4))).toBe(8)
  })

  test("two quick disconnects in a row", async () => {
    const { clock, room, heard, gaps, publish, line } = joined()
    await clock.run(room.ready())
    await publish(1)
    line()?.cut()
    await publish(2, 3)
    await clock.until(() => line() !== undefined)
    line()?.cut()
    await publish(4, 5)
    await clock.until(() => heard.length === 5)
    expect(heard).toEqual(numbers(1, 5))
    expect(gaps).toEqual([])
    expect(room.stats.duplicates).toBe(0)
  })

  test("a cut during the catch-up itself, within its pages and between them", async () => {
    const { clock, network, room, heard, gaps, publish, line } = joined()
    await clock.run(room.ready())
    line()?.cut()
    await publish(1, 60)
    const cutsAt = new Set([1, 7, 10, 11, 23, 24, 60])
    network.onMessage(({ line, message }) => {
      if (message.type === "event" && cutsAt.delete(message.offset)) line.cut()
    })
    await clock.until(() => heard.length === 60)
    expect(cutsAt.size).toBe(0)
    expect(heard).toEqual(numbers(1, 60))
    expect(gaps).toEqual([])
  })
})
