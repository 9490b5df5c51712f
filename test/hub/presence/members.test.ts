import { expect, test } from "vitest"
import { world } from "./world.ts"

test("a member joins, changes and leaves in this order, also with its connection", async () => {
  const { clock, a, ada, seen } = await world()
  const peer = await ada.connect(a)
  for (const mood of ["calm", "wild", "wild"])
    expect(await ada.enter(peer, mood)).toMatchObject({ type: "result" })
  for (let n = 0; n < 2; n++) expect(await ada.leave(peer)).toMatchObject({ type: "result" })
  await ada.enter(peer, "calm")
  peer.leave()
  await clock.settle()
  expect(seen()).toEqual(["join calm", "join wild", "left", "join calm", "left"])
})

test.each(["a", "b"] as const)("a reconnect within the grace, from node a to %s, is no entry", async (to) => {
  const { clock, ada, seen, ...nodes } = await world()
  const before = await ada.connect(nodes.a, "calm")
  before.cut()
  await clock.advance(2_999)
  const now = await ada.connect(nodes[to], "calm")
  await clock.advance(20_000)
  now.cut()
  await clock.advance(2_999)
  expect(seen()).toEqual(["join calm"])
  await clock.advance(1)
  expect(seen()).toEqual(["join calm", "left"])
})

test("a connection is in as many channels as it may subscribe to, until it leaves one", async () => {
  const { clock, a, ada } = await world({ limits: { subscriptionsPerConnectionMax: 2 } })
  const peer = await ada.connect(a)
  for (const [id, name] of ["x", "a", "b", "b", "c", "-a", "c"].entries()) {
    const data = { mood: name === "x" ? undefined : "calm" }
    const message = { id, channel: `room/${name.at(-1)}`, version: id + 1, data }
    peer.send({ type: name === "-a" ? "leave" : "enter", ...message })
    await clock.settle()
  }
  const refused = [{ code: "invalid_payload" }, { id: 4, code: "too_many_subscriptions", limit: 2 }]
  expect(peer.all("error")).toMatchObject(refused)
  expect(peer.last("result")).toMatchObject({ id: 6 })
})

test("a member stays as it was, and goes with the connection that spoke last, when a change finds no space", async () => {
  const { clock, a, ada, control, moods } = await world()
  const [before, now] = [await ada.connect(a, "calm"), await ada.connect(a)]
  control.mode = "full"
  expect(await ada.enter(now, "wild")).toMatchObject({ code: "log_full" })
  control.mode = "open"
  before.leave()
  await clock.advance(10_000)
  expect(await moods()).toEqual(["calm"])
  now.leave()
  await clock.settle()
  expect(await moods()).toEqual([])
})

test("a client that never was in is not seen to leave", async () => {
  const { a, ada, control } = await world()
  expect(await ada.leave(await ada.connect(a))).toMatchObject({ type: "result" })
  expect(control.appends).toBe(0)
})
