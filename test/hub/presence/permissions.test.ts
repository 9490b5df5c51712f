import { describe, expect, test } from "vitest"
import { HoldfastError } from "../../../src/protocol/error.ts"
import { nodes } from "../node-rig.ts"
import { CHANNEL, client, lobbyOf, moodsAt, observe, pendingHandlers } from "./client.ts"

describe("a revocation", () => {
  test("removes the user's members at every node, and is final for their connections", async () => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[0])
    const ada = client(clock)
    const peer = await ada.connect(all[1], "calm")
    const bob = await client(clock, "bob").connect(all[1], "wild")
    const { results } = await lobbyOf(all[0]).revoke("ada", "you were asked to leave")
    expect(results).toMatchObject([{ user: "ada" }])
    await clock.settle()
    const removed = { type: "removed", channel: CHANNEL, code: "revoked", message: "you were asked to leave" }
    expect(peer.all("removed")).toEqual([removed])
    expect(seen()).toEqual(["join calm", "join wild", "left"])
    expect(await ada.enter(peer, "calm")).toMatchObject({ type: "error", code: "revoked" })
    expect(bob.all("removed")).toEqual([])
    expect(await moodsAt(all[0])).toEqual(["wild"])
    // the handler decides about the next connection
    await ada.connect(all[1], "calm")
    expect((await moodsAt(all[0])).sort()).toEqual(["calm", "wild"])
  })

  test("holds for an enter whose handler runs, of a connection or a request", async () => {
    const { answers, channels } = pendingHandlers()
    const { clock, all } = nodes(2, { channels })
    await clock.advance(2_000)
    const ada = client(clock)
    const peers = [await ada.connect(all[1], "calm"), await ada.request(all[1], "calm")]
    await lobbyOf(all[0]).revoke("ada")
    for (const answer of answers) answer()
    await clock.settle()
    for (const peer of peers) expect(peer.all("removed")).toMatchObject([{ code: "revoked" }])
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("removes a member whose client is between two requests", async () => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[0])
    const poll = await client(clock).request(all[1], "calm")
    poll.leave()
    const { results } = await lobbyOf(all[0]).revoke("ada")
    await clock.advance(20_000)
    expect(results).toEqual([])
    expect(seen()).toEqual(["join calm", "left"])
  })
})

describe("a renewed token", () => {
  const renewing = async () => {
    const rights = { allowed: true, name: "ada" }
    const presence = ({ data }: { data: { mood: string } }) => {
      if (!rights.allowed) throw new HoldfastError("not_allowed", "not any more")
      return { name: rights.name, mood: data.mood }
    }
    const { clock, all } = nodes(1, { channels: { "room/:room": { subscribe: true, presence } } })
    const seen = await observe(all[0])
    const ada = client(clock)
    const peer = await ada.connect(all[0], "calm")
    const renew = async () => {
      peer.send({ type: "token", token: "ada" })
      await clock.settle()
    }
    return { all, seen, ada, peer, rights, renew }
  }

  test("that still allows presence changes nothing, or what the handler makes of the data", async () => {
    const { all, seen, peer, rights, renew } = await renewing()
    await renew()
    expect(seen()).toEqual(["join calm"])
    rights.name = "Ada"
    await renew()
    expect([...(await lobbyOf(all[0]).members()).values()]).toEqual([{ name: "Ada", mood: "calm" }])
    expect(peer.all("removed")).toEqual([])
  })

  test("that does not allow presence any more removes the member, until it is allowed again", async () => {
    const { seen, ada, peer, rights, renew } = await renewing()
    rights.allowed = false
    await renew()
    expect(seen()).toEqual(["join calm", "left"])
    expect(peer.all("removed")).toMatchObject([{ channel: CHANNEL, code: "not_allowed" }])
    rights.allowed = true
    expect(await ada.enter(peer, "calm")).toMatchObject({ type: "result" })
    expect(seen()).toEqual(["join calm", "left", "join calm"])
  })
})
