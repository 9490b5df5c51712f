import { describe, expect, it } from "vitest"
import { z } from "zod"
import { channel, contract, type Schema } from "../../src/contract/index.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { decodeBody } from "../../src/protocol/body.ts"
import type { Codec } from "../../src/protocol/codec.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { lines, rig } from "./rig.ts"

/** Passes everything, after a while. */
const slow: Schema<{ n: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) => ({ value: value as { n: number } }),
  },
}

const app = contract({
  "notes/:name": channel({
    events: { added: z.object({ n: z.number() }), slow, any: z.any() },
    state: { latest: z.object({ n: z.number() }), any: z.any() },
    signals: { seen: z.object({ n: z.number() }) },
  }),
  capped: channel({ state: { price: z.object({ n: z.number() }) }, rate: { perKeyPerSecond: 10 } }),
})

const channels = {
  "notes/:name": {
    subscribe: true,
    events: {
      added: ({ data }: { data: { n: number } }) => data,
      slow: ({ data }: { data: { n: number } }) => data,
      any: ({ data }: { data: unknown }) => data,
    },
    state: {
      latest: ({ data }: { data: { n: number } }) => data,
      any: ({ data }: { data: unknown }) => data,
    },
    delete: { latest: () => true },
  },
} as const

const publish = (id: number, name: string, data: unknown) => ({
  type: "publish",
  id,
  channel: "notes/a",
  name,
  data,
  idempotencyKey: `k${id}`,
})

/** A log of which it is known what was appended, at once. */
function noted(log: Log = memoryLog({ epoch: "e1" })) {
  const bodies: unknown[] = []
  const noting: Log = {
    ...log,
    append: (name, operation, options) => {
      bodies.push(operation.body.length > 0 ? decodeBody(operation.body) : undefined)
      return log.append(name, operation, options)
    },
  }
  return { log: noting, bodies }
}

describe("the server's own code", () => {
  it("publishes what each call was given, though the value is changed right after", async () => {
    const { log, bodies } = noted()
    const r = rig(app, { channels }, log)
    const peer = r.peer()
    await peer.hello({ channel: "notes/a" })
    const notes = r.hub.channel("notes/:name", { name: "a" })
    const value = { n: 1 }
    const calls = [
      () => notes.publish("added", value),
      () => notes.publish("added", value, { idempotencyKey: "once" }),
      () => notes.set("latest", "k", value),
      () => notes.signal("seen", value),
    ]
    const done = calls.map((call) => {
      const result = call()
      value.n++
      return result
    })
    expect(bodies).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    await Promise.all(done)
    await r.clock.settle()
    expect(peer.all("event").map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }])
    expect(peer.last("set").data).toEqual({ n: 3 })
    expect(peer.last("signal").data).toEqual({ n: 4 })
  })

  it("sets what it was given under a rate cap too, though that waits", async () => {
    const r = rig(app)
    const prices = r.hub.channel("capped", {})
    const value = { n: 1 }
    const first = prices.set("price", "a", value)
    value.n = 2
    const second = prices.set("price", "a", value)
    value.n = 3
    await r.clock.advance(1_000)
    await Promise.all([first, second])
    expect(await prices.state("price")).toEqual(new Map([["a", { n: 2 }]]))
  })

  it("rejects, and does not throw, what cannot be published", async () => {
    const r = rig(app)
    const notes = r.hub.channel("notes/:name", { name: "a" })
    for (const attempt of [
      () => notes.publish("added", { n: "x" } as never),
      () => notes.publish("gone" as never, { n: 1 } as never),
      () => notes.set("latest", "", { n: 1 }),
      () => notes.signal("seen", null as never),
      () => notes.publish("any", new Date(), { idempotencyKey: "k" }),
    ]) {
      const result = attempt()
      expect(result).toBeInstanceOf(Promise)
      await expect(result).rejects.toMatchObject({ name: "HoldfastError" })
    }
  })

  it("publishes in the order of the calls, also what an asynchronous schema validates", async () => {
    const r = rig(app)
    const notes = r.hub.channel("notes/:name", { name: "a" })
    await Promise.all([1, 2, 3].map((n) => notes.publish("slow", { n })))
    const history = await notes.history({ last: 3 })
    expect(history.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  })
})

describe("a client's publish", () => {
  it("reaches the log in the turn in which it came, if nothing is asynchronous", async () => {
    const { log, bodies } = noted()
    const r = rig(app, { channels }, log)
    const peer = r.peer()
    await peer.hello()
    peer.send(publish(1, "added", { n: 1 }))
    peer.send({ ...publish(2, "latest", { n: 2 }), type: "set", key: "k" })
    peer.send({ ...publish(3, "latest", undefined), type: "delete", key: "k" })
    expect(bodies).toEqual([{ n: 1 }, { n: 2 }, undefined])
    peer.send(publish(4, "slow", { n: 4 }))
    peer.send(publish(5, "added", { n: 5 }))
    expect(bodies).toHaveLength(3)
    await r.clock.settle()
    expect(bodies.slice(3)).toEqual([{ n: 4 }, { n: 5 }])
    expect(peer.all("result").map(({ id }) => id)).toEqual([1, 2, 3, 4, 5])
  })

  it("is what its handler returns, also when that is only like a promise", async () => {
    const r = rig(app, {
      channels: {
        "notes/:name": {
          subscribe: true,
          events: {
            added: ({ data }) => {
              // biome-ignore lint/suspicious/noThenProperty: a handler may return one
              const thenable = { then: (take: (value: unknown) => void) => take({ n: data.n + 1 }) }
              return thenable as never
            },
          },
        },
      },
    })
    const peer = r.peer()
    await peer.hello({ channel: "notes/a" })
    peer.send(publish(1, "added", { n: 1 }))
    await r.clock.settle()
    expect(peer.last("event").data).toEqual({ n: 2 })
  })

  it.each([["JSON", 100 - 2, 101 - 2, "101 bytes, the limit is 100"]])(
    "in %s is refused beyond the limit of bytes, and not at it",
    async (_, fits, exceeds, sentence) => {
      const r = rig(app, { channels, limits: { messageBytesMax: 100 } })
      const peer = r.peer()
      await peer.hello()
      peer.send(publish(1, "any", "x".repeat(fits)))
      peer.send(publish(2, "any", "x".repeat(exceeds)))
      await r.clock.settle()
      expect(peer.last("result").id).toBe(1)
      // the handler returned it
      expect(peer.last("error")).toMatchObject({ id: 2, code: "handler_failed" })
      expect(String(r.problems[0]?.fields.error)).toContain(`event "any" of notes/a: ${sentence}`)
      const notes = r.hub.channel("notes/:name", { name: "a" })
      await notes.publish("any", "x".repeat(fits))
      await expect(notes.publish("any", "x".repeat(exceeds))).rejects.toMatchObject({
        code: "message_too_large",
        message: `event "any" of notes/a: ${sentence}`,
        limit: 100,
      })
      await notes.publish("any", new Uint8Array(98))
      await expect(notes.publish("any", new Uint8Array(99))).rejects.toMatchObject({
        code: "message_too_large",
      })
    },
  )

  it("names in its refusal what was asked for, and the place that is wrong", async () => {
    const r = rig(app, { channels })
    const peer = r.peer()
    await peer.hello()
    peer.send(publish(1, "added", { n: "x" }))
    peer.send({ ...publish(2, "latest", { n: "x" }), type: "set", key: "k" })
    await r.clock.settle()
    expect(peer.all("error")).toMatchObject([
      {
        id: 1,
        code: "invalid_payload",
        path: "n",
        message: expect.stringMatching(/^event "added" of notes\/a: n: /),
      },
      {
        id: 2,
        code: "invalid_payload",
        path: "n",
        message: expect.stringMatching(/^state "latest" of notes\/a: n: /),
      },
    ])
  })
})

describe("a user", () => {
  const limits = { keysPerUserMax: 2, idempotencyKeysPerUserMax: 3, heartbeatMs: 1_000_000 }
  const world = () => {
    const r = rig(app, { channels, limits, authenticate: ({ token }) => ({ id: token }) })
    let id = 0
    const client = async (token: string) => {
      const peer = r.peer()
      peer.send({ type: "hello", token, session: `session-${++id}-0123456789abcdef`, subscriptions: [] })
      await r.clock.settle()
      return peer
    }
    const set = (key: string) => ({ ...publish(++id, "latest", { n: id }), type: "set", key })
    return { r, client, set }
  }

  it("may make so many keys, and no more; others and the server still may", async () => {
    const { r, client, set } = world()
    const [ada, bob] = [await client("ada"), await client("bob")]
    for (const key of ["a", "b", "c"]) ada.send(set(key))
    bob.send(set("c"))
    await r.clock.settle()
    expect(ada.all("result")).toHaveLength(2)
    expect(ada.last("error")).toMatchObject({ code: "quota_exceeded", limit: 2 })
    expect(bob.all("result")).toHaveLength(1)
    const notes = r.hub.channel("notes/:name", { name: "a" })
    for (const key of ["d", "e", "f"]) await notes.set("latest", key, { n: 0 })
    expect([...(await notes.state("latest")).keys()]).toEqual(["a", "b", "c", "d", "e", "f"])
  })

  it("may use so many idempotency keys, over all connections, until they expire", async () => {
    const { r, client } = world()
    const [one, two, bob] = [await client("ada"), await client("ada"), await client("bob")]
    for (const id of [1, 2]) one.send(publish(id, "added", { n: id }))
    for (const id of [3, 4]) two.send(publish(id, "added", { n: id }))
    for (const id of [1, 2, 3]) bob.send(publish(id, "added", { n: id }))
    await r.clock.settle()
    expect(two.all("result").map(({ id }) => id)).toEqual([3])
    expect(two.last("error")).toMatchObject({ id: 4, code: "quota_exceeded", limit: 3 })
    expect(bob.all("error")).toEqual([])
    // what was acknowledged is found again all the same
    two.send(publish(1, "added", { n: 1 }))
    await r.clock.settle()
    expect(two.last("result")).toMatchObject({ id: 1, position: { offset: 1 } })
    await r.clock.advance(5 * 60_000)
    two.send(publish(5, "added", { n: 5 }))
    await r.clock.settle()
    expect(two.last("result").id).toBe(5)
  })
})

describe("an idempotency key", () => {
  it.each([
    ["bytes", new Uint8Array([1, 2, 3])],
    ["what looks like bytes", { $bytes: "AQID" }],
    ["numbers", [0.1, -0, 1e21]],
    ["keys that are numbers", { 2: "b", 1: "a" }],
  ])("finds the first publish again in the other codec: %s", async (_, data) => {
    const r = rig(app, { channels })
    const notes = r.hub.channel("notes/:name", { name: "a" })
    const positions: unknown[] = []
    for (const codec of [json, msgpack] as readonly Codec[]) {
      const peer = r.peer(lines(codec.name, codec.name))
      peer.send({ type: "hello", session: "session-0123456789abcdef", subscriptions: [] })
      await r.clock.settle()
      const message = codec.decode(codec.encode(publish(1, "any", data)))
      peer.send(message as Record<string, unknown>)
      await r.clock.settle()
      positions.push(peer.last("result").position?.offset)
    }
    expect(positions).toEqual([1, 1])
    expect(await notes.history({ last: 2 })).toHaveLength(1)
  })
})
