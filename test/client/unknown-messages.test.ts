import { channel, contract } from "holdfast"
import { connect, type LineEvents, type Transport } from "holdfast/client"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { Codec } from "../../src/protocol/codec.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { welcome } from "./fake-line.ts"

const app = contract({
  news: channel({
    events: { said: z.string() },
    state: { topic: z.string() },
    presence: z.string(),
  }),
})
const alias = 1

/** A client of yesterday whose server is the test, in the words of tomorrow. */
function oldClient(codec: Codec<string> | Codec<Uint8Array>) {
  const clock = virtualClock()
  const errors: unknown[] = []
  const lines: LineEvents[] = []
  let closes = 0
  const transport: Transport = {
    open: (_, events) => {
      lines.push(events)
      return { send: () => undefined, close: () => closes++, bufferedBytes: () => 0 }
    },
  }
  const client = connect<typeof app>("wss://example.com", { transport, clock, codec })
  client.on("error", (error) => errors.push(error))
  const say = (...messages: object[]) => {
    for (const message of messages) lines[0]?.onMessage((codec as Codec).encode(message))
  }
  const news = client.channel("news")
  const heard: string[] = []
  news.on("said", (text) => heard.push(text))
  lines[0]?.onOpen()
  say({ type: "hail", from: "tomorrow" }, { ...welcome, colour: "blue" })
  say({
    type: "subscribed",
    channel: "news",
    alias,
    position: { epoch: "e", offset: 4 },
    top: 4,
    snapshot: true,
  })
  const entry = { offset: 1, at: 0 }
  say({
    type: "snapshot",
    alias,
    offset: 4,
    last: true,
    entries: [
      { ...entry, type: "set", name: "topic", key: "now", data: "tea" },
      { ...entry, type: "join", member: "ada", data: "Ada" },
      { ...entry, type: "pinned", name: "topic", key: "now" },
      { ...entry, type: "pinned", member: "ada" },
    ],
  })
  return { client, news, heard, errors, say, closes: () => closes }
}

describe.each([json, msgpack])("a client that speaks $name", (codec) => {
  test("ignores types of messages that it does not know", () => {
    const { client, news, heard, errors, say, closes } = oldClient(codec)
    say(
      { type: "weather", wind: 3 },
      { type: "whisper", alias },
      { type: "pinned", alias, offset: 5, at: 0, name: "topic", key: "now" },
      { type: "muted", alias, offset: 6, at: 0, member: "ada" },
      { type: "event", alias, offset: 7, at: 0, name: "said", data: "hello", colour: "blue" },
    )
    expect(heard).toEqual(["hello"])
    expect(news.position).toEqual({ epoch: "e", offset: 7 })
    expect(news.state("topic").get("now")).toBe("tea")
    expect([...news.presence.members]).toEqual([["ada", "Ada"]])
    expect(client.status).toBe("open")
    expect(errors).toEqual([])
    expect(closes()).toBe(0)
  })

  test("ignores events and states that its contract does not have", () => {
    const { news, heard, errors, say } = oldClient(codec)
    say(
      { type: "event", alias, offset: 5, at: 0, name: "drawn", data: { x: 1 } },
      { type: "set", alias, offset: 6, at: 0, name: "votes", key: "now", data: 3 },
      { type: "signal", alias, name: "waving", data: {} },
      { type: "event", alias, offset: 7, at: 0, name: "said", data: "hello" },
    )
    expect(heard).toEqual(["hello"])
    expect(news.position?.offset).toBe(7)
    expect(news.state("topic").get("now")).toBe("tea")
    expect(errors).toEqual([])
  })
})
