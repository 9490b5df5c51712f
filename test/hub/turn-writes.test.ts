import { describe, expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Link } from "../../src/hub/ports/link.ts"
import type { Codec } from "../../src/protocol/codec.ts"
import { json as jsonCodec } from "../../src/protocol/json.ts"
import { bytesOf } from "../../src/protocol/pieces.ts"
import { framing, split } from "../../src/testing/framing.ts"
import { rig } from "./rig.ts"

const json = jsonCodec as unknown as Codec

const app = contract({ "notes/:name": channel({ events: { added: z.number() } }) })

interface Sent {
  readonly type: string
  readonly offset?: number
  readonly id?: number
}

/** A client whose link gathers what it is given while it is corked, as a socket does. */
async function client(r: ReturnType<typeof world>, ...channels: readonly string[]) {
  const writes: Sent[][] = []
  let gathered: Uint8Array[] | undefined
  const write = (frames: readonly Uint8Array[]) => {
    if (frames.length > 0)
      writes.push(split(json, bytesOf(frames)).map((wire) => json.decode(wire as string) as Sent))
  }
  const nothing = () => {}
  const link: Link = {
    encoding: framing(json),
    write: (bytes) => {
      if (gathered === undefined) write([bytes])
      else gathered.push(bytes)
      return true
    },
    cork: () => {
      expect(gathered).toBeUndefined()
      gathered = []
    },
    uncork: () => {
      write(gathered ?? [])
      gathered = undefined
    },
    pause: nothing,
    resume: nothing,
    close: nothing,
    destroy: nothing,
  }
  const connection = r.hub.connect(link, {})
  const subscriptions = channels.map((name) => ({ channel: name }))
  connection.handleMessage({ type: "hello", session: "session-0123456789abcdef", subscriptions }, 100)
  await r.clock.settle()
  writes.length = 0
  const publish = (id: number, name = "notes/a") => {
    const message = { type: "publish", id, channel: name, name: "added", data: id, idempotencyKey: `k${id}` }
    connection.handleMessage(message, 100)
  }
  return { writes, publish }
}

function world() {
  return rig(app, {
    channels: { "notes/:name": { subscribe: true, events: { added: ({ data }) => data } } },
  })
}

describe("what a connection is sent in one turn", () => {
  it("is one write, of all answers", async () => {
    const r = world()
    const { writes, publish } = await client(r)
    for (let id = 1; id <= 16; id++) publish(id)
    await r.clock.settle()
    expect(writes).toHaveLength(1)
    expect(writes[0]?.map(({ type, id }) => [type, id])).toEqual(
      Array.from({ length: 16 }, (_, index) => ["result", index + 1]),
    )
  })

  it("is one write, of an answer and the entry that it is about", async () => {
    const r = world()
    const { writes, publish } = await client(r, "notes/a")
    publish(1)
    await r.clock.settle()
    expect(writes.map((sent) => sent.map(({ type }) => type))).toEqual([["result", "event"]])
  })

  it("is one write, of the entries of several channels and of answers", async () => {
    const r = world()
    const { writes, publish } = await client(r, "notes/a", "notes/b")
    publish(1, "notes/a")
    publish(2, "notes/b")
    publish(3, "notes/a")
    await r.clock.settle()
    expect(writes).toHaveLength(1)
    expect(writes[0]?.filter(({ type }) => type === "event").map(({ offset }) => offset)).toEqual([1, 2, 1])
  })

  it("is written in that turn, and the next turn writes for itself", async () => {
    const r = world()
    const { writes, publish } = await client(r, "notes/a")
    for (let id = 1; id <= 3; id++) {
      publish(id)
      await r.clock.settle()
      expect(writes).toHaveLength(id)
    }
  })
})
