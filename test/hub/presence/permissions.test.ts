import { expect, test } from "vitest"
import { HoldfastError } from "../../../src/protocol/error.ts"
import { CHANNEL, pendingHandlers, world } from "./world.ts"

test("a revocation removes members at every node, and is final for their connections", async () => {
  const { a, b, ada, bob, lobby, seen, moods, clock } = await world()
  const peer = await ada.connect(b, "calm")
  const other = await bob.connect(b, "wild")
  const { results } = await lobby.revoke("ada", "you were asked to leave")
  await clock.settle()
  expect(results).toMatchObject([{ user: "ada" }])
  const removed = { type: "removed", channel: CHANNEL, code: "revoked", message: "you were asked to leave" }
  expect(peer.all("removed")).toEqual([removed])
  expect(other.all("removed")).toEqual([])
  expect(seen()).toEqual(["join calm", "join wild", "left"])
  expect(await ada.enter(peer, "calm")).toMatchObject({ code: "revoked" })
  expect(await moods()).toEqual(["wild"])
  // about another connection the handler decides
  await ada.connect(a, "calm")
  expect(await moods()).toEqual(["calm", "wild"])
})

test("a revocation refuses enters whose handler runs, of connections and requests", async () => {
  const { answers, channels } = pendingHandlers()
  const { clock, a, ada, lobby, seen } = await world({ channels })
  const peers = [await ada.connect(a, "calm"), await ada.request(a, "calm")]
  await lobby.revoke("ada")
  for (const answer of answers) answer()
  await clock.settle()
  for (const peer of peers) expect(peer.all("removed")).toMatchObject([{ code: "revoked" }])
  expect(seen()).toEqual([])
})

test("a revocation removes the member of a client that is between two requests", async () => {
  const { clock, a, ada, lobby, seen } = await world()
  const poll = await ada.request(a, "calm")
  poll.leave()
  expect((await lobby.revoke("ada")).results).toEqual([])
  await clock.settle()
  expect(seen()).toEqual(["join calm", "left"])
})

test("what a client asks for right behind a renewed token is not refused", async () => {
  let name = "ada"
  const presence = ({ data }: { data: { mood: string } }) => ({ name, mood: data.mood })
  const { clock, a, ada, observer, moods } = await world({
    channels: { "room/:room": { subscribe: true, presence } },
  })
  const peer = await ada.connect(a, "calm")
  for (name of ["Ada", "A.", "Ada"]) {
    peer.send({ type: "token", token: "ada" })
    await clock.settle()
  }
  expect(observer.all("join")).toHaveLength(4)
  expect(await ada.enter(peer, "wild")).toMatchObject({ type: "result" })
  expect(await moods()).toEqual(["wild"])
  name = "A."
  peer.send({ type: "token", token: "ada" })
  await clock.settle()
  expect(await ada.leave(peer)).toMatchObject({ type: "result" })
  expect(await moods()).toEqual([])
})

test("a renewed token changes what the handler says, and removes what it refuses", async () => {
  const may = { enter: true, be: "ada" }
  const presence = ({ data }: { data: { mood: string } }) => {
    if (!may.enter) throw new HoldfastError("not_allowed", "not any more")
    return { name: may.be, mood: data.mood }
  }
  const channels = { "room/:room": { subscribe: true, presence } } as const
  const { clock, a, ada, observer, seen } = await world({ channels })
  const peer = await ada.connect(a, "calm")
  for (const rights of [{}, { be: "Ada" }, { enter: false }, { enter: true }]) {
    Object.assign(may, rights)
    peer.send({ type: "token", token: "ada" })
    await clock.advance(10)
  }
  expect(observer.all("join").map(({ data }) => data)).toMatchObject([{ name: "ada" }, { name: "Ada" }])
  expect(seen().slice(2)).toEqual(["left"])
  expect(peer.all("removed")).toMatchObject([{ channel: CHANNEL, code: "not_allowed" }])
  expect(await ada.enter(peer, "calm")).toMatchObject({ type: "result" })
})
