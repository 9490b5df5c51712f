import { describe, expect, test } from "vitest"
import { nodes } from "../node-rig.ts"
import { client, moodsAt, observe, pendingHandlers } from "./client.ts"

describe("a member", () => {
  test("joins, changes and leaves in this order, and an enter with the same data is no entry", async () => {
    const { clock, all } = nodes(1)
    const seen = await observe(all[0])
    const ada = client(clock)
    const peer = await ada.connect(all[0])
    for (const mood of ["calm", "wild", "wild"])
      expect(await ada.enter(peer, mood)).toMatchObject({ type: "result" })
    expect(await ada.leave(peer)).toMatchObject({ type: "result" })
    expect(seen()).toEqual(["join calm", "join wild", "left"])
  })

  test.each(["same", "other"])("makes no entry when it reconnects to the %s node in time", async (which) => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[1])
    const ada = client(clock)
    const before = await ada.connect(all[0], "calm")
    before.cut()
    await clock.advance(2_999)
    const now = await ada.connect(which === "same" ? all[0] : all[1], "calm")
    await clock.advance(20_000)
    expect(seen()).toEqual(["join calm"])
    now.cut()
    await clock.advance(2_999)
    expect(seen()).toEqual(["join calm"])
    await clock.advance(1)
    expect(seen()).toEqual(["join calm", "left"])
  })

  test("leaves at once when its connection closes in an orderly way", async () => {
    const { clock, all } = nodes(1)
    const peer = await client(clock).connect(all[0], "calm")
    expect(await moodsAt(all[0])).toEqual(["calm"])
    peer.leave()
    await clock.settle()
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("does not enter when its connection has ended while its handler ran", async () => {
    const { answers, channels } = pendingHandlers()
    const { clock, all } = nodes(1, { channels })
    const peer = await client(clock).connect(all[0], "calm")
    peer.leave()
    for (const answer of answers) answer()
    await clock.settle()
    expect((await all[0].log.head("room/lobby")).top).toBe(0)
  })

  test("is in as many channels as its connection may subscribe to, until it leaves one", async () => {
    const { clock, all } = nodes(1, { limits: { subscriptionsPerConnectionMax: 2 } })
    const peer = await client(clock).connect(all[0])
    const ask = async (id: number, name: string, type = "enter") => {
      peer.send({ type, id, channel: `room/${name}`, data: { mood: "calm" }, version: id })
      await clock.settle()
    }
    for (const [index, name] of ["a", "b", "b", "c"].entries()) await ask(index + 1, name)
    expect(peer.all("error")).toMatchObject([{ id: 4, code: "too_many_subscriptions", limit: 2 }])
    await ask(5, "a", "leave")
    await ask(6, "c")
    expect(peer.last("result")).toMatchObject({ id: 6 })
  })

  test("is not seen to leave when it never was in", async () => {
    const { clock, all } = nodes(1)
    const seen = await observe(all[0])
    const ada = client(clock)
    expect(await ada.leave(await ada.connect(all[0]))).toMatchObject({ type: "result" })
    expect(seen()).toEqual([])
  })
})
