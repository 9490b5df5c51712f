import { expect, test } from "vitest"
import { HoldfastError } from "../../../src/protocol/error.ts"
import { pendingHandlers, world } from "./world.ts"

const LEASE_MS = 8_000

test("a client is in while its latest request is open, and for a lease after it", async () => {
  const { clock, a, b, ada, seen } = await world()
  for (let n = 0; n < 10; n++) {
    const earlier = await ada.request(a, "calm")
    const latest = await ada.request(b, "calm")
    earlier.leave()
    await clock.advance(n % 2 === 0 ? 25_000 : 1_000)
    latest.cut()
    await clock.advance(LEASE_MS - 1)
  }
  expect(seen()).toEqual(["join calm"])
  await clock.advance(1)
  expect(seen()).toEqual(["join calm", "left"])
})

test("an enter by a message is answered, and holds for a lease", async () => {
  const { clock, a, ada, seen } = await world()
  const send = await ada.request(a)
  expect(await ada.enter(send, "calm")).toMatchObject({ type: "result" })
  send.leave()
  await clock.advance(LEASE_MS - 1)
  expect(seen()).toEqual(["join calm"])
  await clock.advance(1)
  expect(seen()).toEqual(["join calm", "left"])
})

test.each([
  ["connect", []],
  ["request", ["join calm", "left"]],
] as const)("a %s that ends while its handler runs is seen as %j, for a lease", async (how, expected) => {
  const { answers, channels } = pendingHandlers()
  const { clock, a, ada, seen } = await world({ channels })
  const peer = await ada[how](a, "calm")
  peer.leave()
  for (const answer of answers) answer()
  await clock.advance(LEASE_MS - 1)
  expect(seen()).toEqual(expected.slice(0, 1))
  await clock.advance(1)
  expect(seen()).toEqual(expected)
})

test("a client changes its data, leaves and enters again at different nodes", async () => {
  const { clock, a, b, ada, seen } = await world()
  const before = await ada.request(a, "calm")
  await ada.request(b, "wild")
  const send = await ada.request(b)
  for (let n = 0; n < 2; n++) expect(await ada.leave(send)).toMatchObject({ type: "result" })
  expect(seen()).toEqual(["join calm", "join wild", "left"])
  await ada.request(a, "calm")
  before.cut()
  await clock.advance(2 * LEASE_MS)
  expect(seen().slice(3)).toEqual(["join calm"])
})

test("a refused hello is answered by a `removed` with the channel, and by nothing else", async () => {
  const presence = () => {
    throw new HoldfastError("not_allowed", "no room")
  }
  const { a, ada } = await world({ channels: { "room/:room": { presence } } })
  const removed = { type: "removed", channel: "room/lobby", code: "not_allowed", message: "no room" }
  expect((await ada.request(a, "calm")).received.slice(1)).toEqual([removed])
})

test.each(["a", "b"] as const)("a client moves from requests at node a to connections at %s", async (to) => {
  const { clock, ada, seen, ...nodes } = await world()
  for (let n = 0; n < 5; n++) {
    const poll = await ada.request(nodes.a, "calm")
    await clock.advance(LEASE_MS / 2)
    const connection = await ada.connect(nodes[to], "calm")
    poll.cut()
    await clock.advance(3 * LEASE_MS)
    connection.cut()
  }
  await ada.request(nodes.a, "calm")
  await clock.advance(3 * LEASE_MS)
  expect(seen()).toEqual(["join calm"])
})

test("a delayed request is refused, and its end does not remove the member", async () => {
  const { clock, a, b, ada, seen } = await world()
  const early = clock.now()
  const before = await ada.request(a, "calm", early)
  await ada.connect(a, "calm", early + 10)
  before.cut()
  for (const node of [a, b]) {
    const late = await ada.request(node, "calm", early + 1)
    expect(late.last("removed")).toMatchObject({ code: "superseded", version: early + 11 })
    late.cut()
  }
  await clock.advance(60_000)
  expect(seen()).toEqual(["join calm"])
})
