import { channel, contract } from "holdfast"
import { type Client, connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { testWorld } from "holdfast/testing"
import { describe, expect, test } from "vitest"
import { z } from "zod"

const note = z.object({ n: z.number(), bytes: z.instanceof(Uint8Array).optional() })
const app = contract({
  notes: channel({
    events: { added: note },
    state: { latest: note },
    signals: { seen: note },
    calls: { echo: { input: note, output: note } },
  }),
})

function world() {
  const { clock, hub, network } = testWorld(app, {
    channels: {
      notes: {
        subscribe: true,
        events: { added: ({ data }) => data },
        state: { latest: ({ data }) => data },
        signals: { seen: ({ data }) => data },
        calls: { echo: ({ input }) => input },
      },
    },
  })
  const client = (name: string, isBinary: boolean): Client<typeof app> => {
    const codec = isBinary ? { codec: msgpack } : {}
    return connect<typeof app>("sim://hub", { clock, transport: network.transport(name, codec), ...codec })
  }
  return { clock, hub, client }
}

describe.each([
  ["JSON", false],
  ["MessagePack", true],
])("a client that speaks %s", (_, isBinary) => {
  test("sends what each call was given, though the value is changed right after", async () => {
    const { clock, client } = world()
    const [ada, bob] = [client("ada", isBinary), client("bob", isBinary)]
    const heard: unknown[] = []
    const notes = bob.channel("notes")
    notes.on("added", ({ n }) => heard.push(["added", n]))
    notes.state("latest").onChange(({ value }) => heard.push(["latest", value?.n]))
    notes.onSignal("seen", ({ n }) => heard.push(["seen", n]))
    await clock.advance(1_000)
    const own = ada.channel("notes")
    const value = { n: 1 }
    const sent: Promise<unknown>[] = []
    const next = (promise: Promise<unknown>) => {
      sent.push(promise)
      value.n++
    }
    next(own.publish("added", value))
    next(own.publish("added", value))
    next(own.state("latest").set("a", value))
    next(own.state("latest").set("b", value))
    own.signal("seen", value)
    next(own.call("echo", value))
    await clock.advance(1_000)
    const answers = await Promise.all(sent)
    expect(heard).toHaveLength(5)
    expect(heard).toEqual(
      expect.arrayContaining([
        ["added", 1],
        ["added", 2],
        ["latest", 3],
        ["latest", 4],
        ["seen", 5],
      ]),
    )
    expect(answers.at(-1)).toEqual({ n: 5 })
  })

  test.each([
    ["JSON", false],
    ["MessagePack", true],
  ])("is understood by one that speaks %s", async (_, isOtherBinary) => {
    const { clock, hub, client } = world()
    const [ada, bob] = [client("ada", isBinary), client("bob", isOtherBinary)]
    const value = { n: 1.5, bytes: new Uint8Array([0, 255]) }
    const heard: unknown[] = []
    const notes = bob.channel("notes")
    notes.on("added", (data) => heard.push(data))
    notes.state("latest").onChange(({ value }) => heard.push(value))
    notes.onSignal("seen", (data) => heard.push(data))
    await clock.advance(1_000)
    const own = ada.channel("notes")
    const published = [own.publish("added", value), own.state("latest").set("a", value)]
    own.signal("seen", value)
    const echoed = own.call("echo", value)
    await clock.advance(1_000)
    await Promise.all(published)
    expect(heard).toStrictEqual([value, value, value])
    expect(await echoed).toStrictEqual(value)
    const server = hub.channel("notes", {})
    expect(await server.state("latest")).toStrictEqual(new Map([["a", value]]))
    expect(await server.history({ last: 1 })).toMatchObject([{ data: value }])
    const late = client("carol", isOtherBinary).channel("notes", {}, { history: "all" })
    late.on("added", (data) => heard.push(data))
    await clock.advance(1_000)
    expect(heard).toHaveLength(4)
    expect(heard.at(-1)).toStrictEqual(value)
    expect(late.state("latest").get("a")).toStrictEqual(value)
  })
})
