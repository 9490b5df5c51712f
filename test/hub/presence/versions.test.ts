import { describe, expect, test } from "vitest"
import { nodes } from "../node-rig.ts"
import { client, moodsAt, pendingHandlers } from "./client.ts"

const T = Date.UTC(2030, 0, 1)

describe.each([
  ["the same node", 0],
  ["another node", 1],
] as const)("what arrives late over an older connection to %s", (_, other) => {
  const world = async () => {
    const { clock, all } = nodes(2)
    const ada = client(clock)
    const before = await ada.connect(all[0], "calm", T)
    const now = await ada.connect(all[other], "wild", T + 20)
    return { clock, all, ada, before, now }
  }

  test("is refused with the lowest version, be it an enter or a leave, and its end removes nothing", async () => {
    const { clock, all, ada, before, now } = await world()
    const superseded = { type: "error", code: "superseded", version: T + 21 }
    expect(await ada.enter(before, "past", T + 10)).toMatchObject(superseded)
    expect(await ada.leave(before, T + 19)).toMatchObject(superseded)
    before.cut()
    await clock.advance(10_000)
    expect(await moodsAt(all[0])).toEqual(["wild"])
    now.leave()
    await clock.settle()
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("is refused after the member has left, though that connection still is open", async () => {
    const { clock, all, ada, before, now } = await world()
    await ada.leave(now, T + 30)
    expect(await ada.enter(before, "past", T + 30)).toMatchObject({ code: "superseded", version: T + 31 })
    await clock.advance(10_000)
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("with a higher version counts, as when the newer connection is lost", async () => {
    const { clock, all, ada, before, now } = await world()
    now.cut()
    expect(await ada.enter(before, "again", T + 21)).toMatchObject({ type: "result" })
    await clock.advance(10_000)
    expect(await moodsAt(all[0])).toEqual(["again"])
  })

  test("in a hello is refused by a `removed`, and the member stays as it is", async () => {
    const { all, ada } = await world()
    const late = await ada.connect(all[0], "past", T + 10)
    expect(late.last("removed")).toMatchObject({ code: "superseded", version: T + 21 })
    expect(await moodsAt(all[0])).toEqual(["wild"])
  })

  test("does not count when its handler answers after that of the newer connection", async () => {
    const { answers, channels } = pendingHandlers()
    const { clock, all } = nodes(2, { channels })
    const ada = client(clock)
    await ada.connect(all[0], "calm", T)
    await ada.connect(all[other], "wild", T + 20)
    for (const answer of answers.reverse()) {
      answer()
      await clock.settle()
    }
    expect(await moodsAt(all[0])).toEqual(["wild"])
  })
})

describe("of equal versions", () => {
  test("the first enter counts, at whichever node, and a leave counts after it", async () => {
    const { clock, all } = nodes(3)
    const ada = client(clock)
    const [first, second, third] = await Promise.all(all.map((node) => ada.connect(node)))
    await ada.enter(first!, "calm", T)
    for (const peer of [first!, second!])
      expect(await ada.enter(peer, "wild", T)).toMatchObject({ code: "superseded", version: T + 1 })
    expect(await moodsAt(all[0])).toEqual(["calm"])
    expect(await ada.leave(third!, T)).toMatchObject({ type: "result" })
    expect(await ada.enter(second!, "wild", T)).toMatchObject({ code: "superseded", version: T + 1 })
    expect(await moodsAt(all[0])).toEqual([])
  })
})

describe("a version that is ahead of the server's clock", () => {
  test("by more than a minute is refused with the server's time", async () => {
    const { clock, all } = nodes(1)
    const ada = client(clock)
    const peer = await ada.connect(all[0])
    const refused = { type: "error", code: "version_ahead", version: T }
    expect(await ada.enter(peer, "calm", T + 60_001)).toMatchObject(refused)
    expect(await ada.leave(peer, T + 60_001)).toMatchObject(refused)
    expect(await moodsAt(all[0])).toEqual([])
    expect(await ada.enter(peer, "calm", T + 60_000)).toMatchObject({ type: "result" })
  })

  test("is accepted after that clock was set back if it is the lowest, and lower ones are refused", async () => {
    const { clock, all } = nodes(2)
    const ada = client(clock)
    await ada.connect(all[0], "calm", T)
    clock.jump(-3_600_000)
    const peer = await ada.connect(all[1])
    expect(await ada.enter(peer, "wild", clock.now())).toMatchObject({ code: "superseded", version: T + 1 })
    expect(await ada.enter(peer, "wild", T + 1)).toMatchObject({ type: "result" })
    expect(await ada.enter(peer, "mad", T + 120_000)).toMatchObject({ code: "version_ahead" })
    expect(await moodsAt(all[0])).toEqual(["wild"])
  })
})
