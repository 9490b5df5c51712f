import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Encoding, Link } from "../../src/hub/ports/link.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import type { Codec, CodecName } from "../../src/protocol/codec.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { bytesOf } from "../../src/protocol/pieces.ts"
import { encodingOf } from "../../src/server/websocket/encoding.ts"
import { framing, split } from "../../src/testing/framing.ts"
import { rig } from "./rig.ts"

const app = contract({
  notes: channel({
    events: { added: z.any() },
    state: { note: z.any() },
    signals: { seen: z.any() },
    snapshot: z.any(),
    calls: { echo: { input: z.any(), output: z.any() } },
  }),
})

const MARK = "a payload that is looked for"
const holdsMark = (text: unknown) => typeof text === "string" && text.includes(MARK)
const codecs = { json, msgpack } as unknown as Readonly<Record<CodecName, Codec>>

let conversions: { parsed: number; stringified: number }

beforeEach(() => {
  conversions = { parsed: 0, stringified: 0 }
  const { parse, stringify } = JSON
  vi.spyOn(JSON, "parse").mockImplementation((text, reviver) => {
    if (holdsMark(text)) conversions.parsed++
    return parse(text, reviver)
  })
  vi.spyOn(JSON, "stringify").mockImplementation((value, ...rest) => {
    const text = stringify(value, ...(rest as []))
    if (holdsMark(text)) conversions.stringified++
    return text
  })
  vi.spyOn(msgpack, "encode")
  vi.spyOn(msgpack, "decode")
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** How often values were made of MessagePack, and MessagePack of messages. */
const msgpackCalls = () => ({
  decoded: vi.mocked(msgpack.decode).mock.calls.length,
  encoded: vi.mocked(msgpack.encode).mock.calls.length,
})

function world(log?: Log) {
  const options = {
    channels: {
      notes: {
        subscribe: true,
        events: { added: ({ data }) => data },
        state: { note: ({ data }) => data },
        signals: { seen: ({ data }) => data },
        calls: { echo: ({ input }) => input },
        snapshot: () => ({ text: MARK }),
      },
    },
  } satisfies Parameters<typeof rig<typeof app>>[1]
  const r = rig(app, options, log)
  let sessions = 0
  /** A client that keeps its frames as they are. */
  const client = async (codec: CodecName, encoding: Encoding, subscriptions: readonly object[] = []) => {
    const frames: Uint8Array[] = []
    const nothing = () => {}
    const link: Link = {
      encoding,
      write: (bytes) => frames.push(bytes) > 0,
      cork: nothing,
      uncork: nothing,
      pause: nothing,
      resume: nothing,
      close: nothing,
      destroy: nothing,
    }
    const connection = r.hub.connect(link, {})
    const session = `session-${++sessions}-0123456789abcdef`
    connection.handleMessage({ type: "hello", session, subscriptions }, 100)
    await r.clock.settle()
    const send = async (message: object) => {
      const wire = codecs[codec].encode(message)
      conversions = { parsed: 0, stringified: 0 }
      vi.mocked(msgpack.encode).mockClear()
      vi.mocked(msgpack.decode).mockClear()
      connection.handleMessage(codecs[codec].decode(wire as never), 100)
      await r.clock.settle()
    }
    return { frames, send }
  }
  return { ...r, client }
}

const added = (data: unknown) => ({
  type: "publish",
  id: 1,
  channel: "notes",
  name: "added",
  data,
  idempotencyKey: "k",
})

describe("a publish", () => {
  const kinds = [encodingOf(json), encodingOf(json, { thresholdBytes: 1, level: 1 }), framing(codecs.json)]

  it("in JSON is decoded once, and written to all links of JSON as it was stored", async () => {
    const { client } = world()
    const subscribers = []
    for (const kind of [...kinds, ...kinds])
      subscribers.push(await client("json", kind, [{ channel: "notes" }]))
    const sender = await client("json", encodingOf(json))
    await sender.send(added({ text: MARK }))
    // by the wire's codec
    expect(conversions.parsed).toBe(1)
    // what was asked for, to know it again; and what is stored
    expect(conversions.stringified).toBe(2)
    expect(msgpackCalls()).toEqual({ decoded: 0, encoded: 0 })
    const frame = subscribers[0]?.frames.at(-1) as Uint8Array
    expect(new TextDecoder().decode(frame)).toContain(`"name":"added","data":{"text":"${MARK}"}}`)
    expect(subscribers[3]?.frames.at(-1)).toBe(frame)
  })

  it("in MessagePack is decoded once, and written to its subscribers as it was stored", async () => {
    const { client } = world()
    const subscriber = await client("msgpack", encodingOf(msgpack), [{ channel: "notes" }])
    const sender = await client("msgpack", encodingOf(msgpack))
    await sender.send(added({ text: MARK }))
    expect(conversions.parsed).toBe(0)
    expect(conversions.stringified).toBe(1)
    // the event and the answer are written around the stored payload
    expect(msgpackCalls()).toEqual({ decoded: 1, encoded: 2 })
    const frame = subscriber.frames.at(-1)?.subarray(2) as Uint8Array
    const event = msgpack.decode(frame)
    expect(event).toMatchObject({ type: "event", name: "added", data: { text: MARK } })
    expect(new Uint8Array(msgpack.encode(event))).toEqual(new Uint8Array(frame))
  })

  it("is encoded once in each codec of its subscribers, without decoding what is stored", async () => {
    const { client } = world()
    for (const kind of kinds) await client("json", kind, [{ channel: "notes" }])
    for (const kind of [encodingOf(msgpack), framing(codecs.msgpack)]) {
      for (let n = 0; n < 3; n++) await client("msgpack", kind, [{ channel: "notes" }])
    }
    const sender = await client("json", encodingOf(json))
    await sender.send(added({ text: MARK }))
    expect(conversions).toEqual({ parsed: 1, stringified: 2 })
    // one frame for each of the two kinds
    expect(msgpackCalls()).toEqual({ decoded: 0, encoded: 2 })
  })

  it("of the server's own code is encoded in the codecs that its subscribers speak, at once", async () => {
    const { client, hub, clock } = world()
    const publish = async () => {
      conversions = { parsed: 0, stringified: 0 }
      vi.mocked(msgpack.encode).mockClear()
      vi.mocked(msgpack.decode).mockClear()
      const value = { text: MARK }
      const published = hub.channel("notes", {}).publish("added", value)
      value.text = "changed after the call"
      await published
      await clock.settle()
      return conversions
    }
    const binary = await client("msgpack", encodingOf(msgpack), [{ channel: "notes" }])
    expect(await publish()).toEqual({ parsed: 0, stringified: 0 })
    const text = await client("json", framing(codecs.json), [{ channel: "notes" }])
    expect(await publish()).toEqual({ parsed: 0, stringified: 1 })
    expect(msgpackCalls()).toEqual({ decoded: 0, encoded: 1 })
    const frame = binary.frames.at(-1)?.subarray(2) as Uint8Array
    expect(msgpack.decode(frame)).toMatchObject({ type: "event", data: { text: MARK } })
    const wire = split(codecs.json, text.frames.at(-1) as Uint8Array)[0] as string
    expect(json.decode(wire)).toMatchObject({ type: "event", data: { text: MARK } })
  })

  it("is converted by its subscribers' node when the log brings back a copy", async () => {
    const log = memoryLog({ epoch: "e1" })
    const { client, hub, clock } = world({ ...log, shared: true })
    const binary = await client("msgpack", encodingOf(msgpack), [{ channel: "notes" }])
    await client("json", encodingOf(json), [{ channel: "notes" }])
    conversions = { parsed: 0, stringified: 0 }
    await hub.channel("notes", {}).publish("added", { text: MARK })
    await clock.settle()
    expect(conversions).toEqual({ parsed: 1, stringified: 1 })
    const frame = binary.frames.at(-1)?.subarray(2) as Uint8Array
    expect(msgpack.decode(frame)).toMatchObject({ type: "event", data: { text: MARK } })
  })

  it("is too large or not, whichever codec its subscribers speak", async () => {
    const { client, hub } = world()
    const limit = hub.limits.messageBytesMax
    // as MessagePack a sixth as long as in JSON
    const value = "\u0000".repeat(limit / 6 + 1)
    const refused = { code: "message_too_large" }
    await expect(hub.channel("notes", {}).publish("added", value)).rejects.toMatchObject(refused)
    await client("msgpack", encodingOf(msgpack), [{ channel: "notes" }])
    await expect(hub.channel("notes", {}).publish("added", value)).rejects.toMatchObject(refused)
  })

  it("is not decoded for catching up, nor for a snapshot", async () => {
    const { client, hub } = world()
    await hub.channel("notes", {}).publish("added", { text: MARK })
    await hub.channel("notes", {}).set("note", "k", { text: MARK })
    conversions.stringified = 0
    const late = await client("json", framing(codecs.json), [{ channel: "notes", history: "all" }])
    expect(conversions).toEqual({ parsed: 0, stringified: 1 })
    const messages = split(codecs.json, bytesOf(late.frames)).map((wire) => json.decode(wire as string))
    expect(messages).toMatchObject([
      { type: "welcome" },
      { type: "subscribed" },
      { type: "snapshot", entries: [{ data: { text: MARK } }], last: false },
      { type: "snapshot", entries: [], loaded: { data: { text: MARK } }, last: true },
      { type: "event", data: { text: MARK } },
      { type: "set", data: { text: MARK } },
    ])
  })
})

describe("what is not kept", () => {
  it.each(["json", "msgpack"] as const)("is encoded once in %s: a call's answer, a signal", async (codec) => {
    const { client } = world()
    const encoding = framing(codecs[codec])
    const sender = await client(codec, encoding, [{ channel: "notes" }])
    await sender.send({ type: "call", id: 7, channel: "notes", name: "echo", data: MARK, timeoutMs: 1_000 })
    expect(conversions.stringified).toBe(codec === "json" ? 1 : 0)
    await sender.send({ type: "signal", channel: "notes", name: "seen", data: MARK })
    expect(conversions).toEqual(
      codec === "json" ? { parsed: 1, stringified: 1 } : { parsed: 0, stringified: 0 },
    )
    const messages = split(codecs[codec], bytesOf(sender.frames)).map((wire) =>
      codecs[codec].decode(wire as never),
    )
    expect(messages.slice(-2)).toMatchObject([
      { type: "result", id: 7, data: MARK },
      { type: "signal", name: "seen", data: MARK },
    ])
  })
})
