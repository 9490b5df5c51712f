import { describe, expect, test } from "vitest"
import { HoldfastError } from "../../../src/protocol/error.ts"
import { type Node, nodes } from "../node-rig.ts"
import { client, moodsAt, observe, pendingHandlers } from "./client.ts"

const LEASE_MS = 8_000

describe("a client of requests", () => {
  test("is in while one is open, and for a lease after the last, at whichever nodes", async () => {
    const { clock, all } = nodes(3)
    const seen = await observe(all[2])
    const ada = client(clock)
    for (let n = 0; n < 30; n++) {
      const poll = await ada.request(all[n % 2] as Node, "calm")
      await clock.advance(n % 5 === 0 ? 25_000 : 1_000)
      poll.cut()
      await clock.advance(LEASE_MS - 1)
    }
    expect(seen()).toEqual(["join calm"])
    await clock.advance(1)
    expect(seen()).toEqual(["join calm", "left"])
  })

  test("stays while the latest one is open, though earlier ones end", async () => {
    const { clock, all } = nodes(2)
    const ada = client(clock)
    const earlier = [await ada.request(all[0], "calm"), await ada.request(all[1], "calm")]
    const poll = await ada.request(all[0], "calm")
    for (const request of earlier) request.leave()
    await clock.advance(3 * LEASE_MS)
    expect(await moodsAt(all[0])).toEqual(["calm"])
    poll.cut()
    await clock.advance(LEASE_MS)
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("enters by a message, is answered, and stays for a lease", async () => {
    const { clock, all } = nodes(1)
    const ada = client(clock)
    const send = await ada.request(all[0])
    expect(await ada.enter(send, "calm")).toMatchObject({ type: "result" })
    send.leave()
    await clock.advance(LEASE_MS - 1)
    expect(await moodsAt(all[0])).toEqual(["calm"])
    await clock.advance(1)
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("enters though its request has ended before its handler answered, and stays for a lease", async () => {
    const { answers, channels } = pendingHandlers()
    const { clock, all } = nodes(1, { channels })
    const send = await client(clock).request(all[0], "calm")
    send.leave()
    for (const answer of answers) answer()
    await clock.advance(LEASE_MS - 1)
    expect(await moodsAt(all[0])).toEqual(["calm"])
    await clock.advance(1)
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("leaves at once at whichever node, once though it says so twice, and may enter again", async () => {
    const { clock, all } = nodes(3)
    const seen = await observe(all[2])
    const ada = client(clock)
    const before = await ada.request(all[0], "calm")
    const send = await ada.request(all[1])
    for (let n = 0; n < 2; n++) expect(await ada.leave(send)).toMatchObject({ type: "result" })
    expect(seen()).toEqual(["join calm", "left"])
    const poll = await ada.request(all[0], "calm")
    before.cut()
    await clock.advance(2 * LEASE_MS)
    expect(seen()).toEqual(["join calm", "left", "join calm"])
    poll.cut()
    await clock.advance(LEASE_MS)
    expect(seen().at(-1)).toBe("left")
  })

  test("changes its data at another node", async () => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[0])
    const ada = client(clock)
    await ada.request(all[0], "calm")
    await ada.request(all[1], "wild")
    expect(seen()).toEqual(["join calm", "join wild"])
  })

  test("receives a refusal of its hello with the channel, and no result", async () => {
    const presence = () => {
      throw new HoldfastError("not_allowed", "no room")
    }
    const { clock, all } = nodes(1, { channels: { "room/:room": { presence } } })
    const poll = await client(clock).request(all[0], "calm")
    const removed = { type: "removed", channel: "room/lobby", code: "not_allowed", message: "no room" }
    expect(poll.received.slice(1)).toEqual([removed])
  })
})

describe("a client that moves between requests and connections", () => {
  test.each([
    ["one node", 0],
    ["two nodes", 1],
  ] as const)("is one member that is never away, at %s", async (_, other) => {
    const { clock, all } = nodes(3)
    const seen = await observe(all[2])
    const ada = client(clock)
    for (let n = 0; n < 5; n++) {
      const poll = await ada.request(all[0], "calm")
      await clock.advance(LEASE_MS / 2)
      const connection = await ada.connect(all[other], "calm")
      poll.cut()
      await clock.advance(3 * LEASE_MS)
      connection.cut()
    }
    await ada.request(all[0], "calm")
    await clock.advance(3 * LEASE_MS)
    expect(seen()).toEqual(["join calm"])
  })

  test("is not removed by requests of before that arrive while it is connected", async () => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[1])
    const ada = client(clock)
    const early = clock.now()
    const before = await ada.request(all[0], "calm", early)
    await ada.connect(all[0], "calm", early + 10)
    before.cut()
    for (const node of all.slice(0, 2)) {
      const late = await ada.request(node, "calm", early + 1)
      expect(late.last("removed")).toMatchObject({ code: "superseded", version: early + 11 })
      late.cut()
    }
    await clock.advance(60_000)
    expect(seen()).toEqual(["join calm"])
  })
})
