import { expect, test } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { json } from "../../src/protocol/json.ts"
import type { ServerMessage } from "../../src/protocol/message.ts"
import { type Peer, rig } from "../hub/rig.ts"
import { readPage } from "./markdown.ts"

const app = contract({
  "room/:room": channel({
    events: {
      said: { input: z.object({ text: z.string() }), output: z.object({ text: z.string(), by: z.string() }) },
    },
    state: { topic: z.string() },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({}) },
    calls: {
      rename: {
        input: z.object({ to: z.string() }),
        output: z.object({}),
        errors: { taken: z.object({ by: z.string() }) },
      },
    },
    keep: { events: 3 },
  }),
})

/** What happens in the session beside what the client and the server say to each other. */
type Play =
  | { readonly do: "publish"; readonly name: "said"; readonly data: { text: string; by: string } }
  | { readonly do: "set"; readonly name: "topic"; readonly key: string; readonly data: string }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "cut" | "connect" }
  | { readonly do: "goaway"; readonly reason: string; readonly spreadMs: number }

/** Names that are drawn at random and times are other ones in each session. */
const VARYING = ["connection", "member", "from", "at", "now", "expiresAt"]

function timeless(message: unknown): unknown {
  const isVarying = (key: string, value: unknown) => VARYING.includes(key) && typeof value !== "object"
  return JSON.parse(JSON.stringify(message), (key, value) => (isVarying(key, value) ? key : value))
}

function world() {
  const { hub, clock, peer } = rig(
    app,
    {
      authenticate: async ({ token }) => ({ id: token?.split("-")[0] ?? "", expiresAt: 9e15 }),
      channels: {
        "room/:room": {
          subscribe: true,
          events: { said: ({ user, data }) => ({ text: data.text, by: user.id }) },
          presence: ({ data }) => data,
          signals: { typing: ({ data }) => data },
          calls: { rename: ({ fail }) => fail("taken", { by: "Grace" }) },
        },
      },
    },
    memoryLog({ epoch: "e1" }),
  )
  const room = hub.channel("room/:room", { room: "lobby" })
  let client = peer()
  let heard = 0
  return {
    settle: clock.settle,
    say: (message: Record<string, unknown>) => client.send(message),
    hear: () => client.received[heard++] as ServerMessage | undefined,
    unheard: () => client.received.slice(heard),
    play: async (play: Play) => {
      if (play.do === "publish") await room.publish(play.name, play.data)
      if (play.do === "set") await room.set(play.name, play.key, play.data)
      if (play.do === "advance") await clock.advance(play.ms)
      if (play.do === "goaway") hub.disconnectAll({ ...play, reconnect: true })
      if (play.do === "cut") heard = cut(client)
      if (play.do === "connect") {
        client = peer()
        heard = 0
      }
      await clock.settle()
    },
  }
}

/** What was said last is lost on the way. */
function cut(client: Peer): number {
  client.cut()
  return client.received.length
}

test("the session of the page takes place as it is told", async () => {
  const { say, hear, unheard, play, settle } = world()
  const blocks = readPage("protocol.md").blocks.filter(({ section }) => section.title.startsWith("A session"))
  expect(blocks.filter(({ info }) => info === "json server").length).toBeGreaterThan(20)
  for (const { info, text, line } of blocks) {
    if (info === "json client") {
      say(json.decode(text) as Record<string, unknown>)
      continue
    }
    await settle()
    if (info === "play") {
      const next: Play = JSON.parse(text)
      if (next.do === "connect") expect(unheard()).toEqual([])
      await play(next)
    } else {
      const expected = { line, message: timeless(json.decode(text)) }
      expect({ line, message: timeless(hear()) }).toEqual(expected)
    }
  }
  await settle()
  expect(unheard()).toEqual([])
})
