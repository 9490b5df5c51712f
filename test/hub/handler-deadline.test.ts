import { channel, contract } from "holdfast"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { ChannelHandlers } from "../../src/hub/api/options.ts"
import { rig } from "./rig.ts"

const definition = channel({
  events: { said: z.string() },
  state: { topic: z.string() },
  presence: z.object({}),
  signals: { typing: z.object({}) },
})
const app = contract({ "room/:room": definition })
type Room = ChannelHandlers<typeof definition, "room/:room", unknown>

const never = () => new Promise<never>(() => undefined)
const allowed: Room = {
  subscribe: true,
  events: { said: ({ data }) => data },
  state: { topic: ({ data }) => data },
  delete: { topic: () => true },
  presence: () => ({}),
  signals: { typing: ({ data }) => data },
}
const start = (handlers: Partial<Room>) =>
  rig<typeof app, unknown>(app, { channels: { "room/:room": { ...allowed, ...handlers } } })
const about = { id: 1, channel: "room/a" }

describe("a handler that never returns", () => {
  test.each<[string, Partial<Room>, Record<string, unknown>]>([
    [
      "publish",
      { events: { said: never } },
      { type: "publish", name: "said", data: "x", idempotencyKey: "k" },
    ],
    [
      "set",
      { state: { topic: never } },
      { type: "set", name: "topic", key: "k", data: "x", idempotencyKey: "k" },
    ],
    [
      "delete",
      { delete: { topic: never } },
      { type: "delete", name: "topic", key: "k", idempotencyKey: "k" },
    ],
    ["enter", { presence: never }, { type: "enter", version: 1, data: {} }],
    ["signal", { signals: { typing: never } }, { type: "signal", name: "typing", data: {} }],
  ])("of %s is answered handler_timeout, and logged", async (_, handlers, message) => {
    const { clock, peer, problems } = start(handlers)
    const ada = peer()
    await ada.hello()
    ada.send({ ...about, ...message })
    await clock.advance(9_999)
    expect(ada.all("error")).toEqual([])
    await clock.advance(1)
    expect(ada.last("error")).toMatchObject({ code: "handler_timeout", channel: "room/a" })
    expect(problems.map(({ text }) => text)).toEqual([expect.stringContaining("10000 ms")])
  })

  test("of subscribe refuses the channel", async () => {
    const { clock, peer } = start({ subscribe: never })
    const ada = peer()
    await ada.hello({ channel: "room/a" })
    await clock.advance(10_000)
    expect(ada.last("unsubscribed")).toMatchObject({ channel: "room/a", code: "handler_timeout" })
  })

  test("of authenticate ends the attempt", async () => {
    const { clock, peer } = rig<typeof app, unknown>(app, { authenticate: never })
    const ada = peer()
    await ada.hello()
    await clock.advance(10_000)
    expect(ada.last("error")).toMatchObject({ code: "handler_timeout" })
    expect(ada.closed()).toMatchObject({ code: 4408 })
  })
})

test("nothing of a handler is appended after its client was told that it is late", async () => {
  const outcomes: unknown[] = []
  const { clock, hub, peer } = start({
    events: {
      said: async ({ channel, data }) => {
        await new Promise<void>((resolve) => clock.after(20_000, resolve))
        outcomes.push(await channel.set("topic", "k", "late").catch((error) => error.code))
        return data
      },
    },
  })
  const ada = peer()
  await ada.hello()
  ada.send({ ...about, type: "publish", name: "said", data: "late", idempotencyKey: "k" })
  await clock.advance(30_000)
  expect(outcomes).toEqual(["handler_timeout"])
  const room = hub.channel("room/:room", { room: "a" })
  expect(await room.history({ last: 10 })).toEqual([])
  expect(await room.state("topic")).toEqual(new Map())
})

test("a publish whose handler runs while its user is disconnected is not appended", async () => {
  let finish = () => {}
  const { clock, hub, peer } = rig<typeof app, unknown>(app, {
    authenticate: () => ({ id: "ada" }),
    channels: {
      "room/:room": {
        events: {
          said: async ({ data }) => {
            await new Promise<void>((resolve) => (finish = resolve))
            return data
          },
        },
      },
    },
  })
  const ada = peer()
  await ada.hello()
  ada.send({ ...about, type: "publish", name: "said", data: "x", idempotencyKey: "k" })
  await clock.settle()
  await hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
  finish()
  await clock.settle()
  expect(await hub.channel("room/:room", { room: "a" }).history({ last: 10 })).toEqual([])
})
