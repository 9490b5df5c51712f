import { describe, expect, test } from "vitest"
import { nodes } from "../node-rig.ts"
import { client, lobbyOf, moodsAt, observe } from "./client.ts"

const T = Date.UTC(2030, 0, 1)

describe("a user", () => {
  test("that knows the session of another one is another member, and takes nobody's place", async () => {
    const { clock, all } = nodes(2)
    const [ada, mallory] = [client(clock, "the-session", "ada"), client(clock, "the-session", "mallory")]
    const own = await ada.connect(all[0], "calm", T)
    const other = await mallory.connect(all[1], "wild", T + 10)
    await mallory.enter(other, "mad", T + 20)
    await mallory.leave(other, T + 30)
    expect(await moodsAt(all[0])).toEqual(["calm"])
    expect(own.last("welcome").member).not.toBe(other.last("welcome").member)
    expect(await ada.enter(own, "glad", T + 1)).toMatchObject({ type: "result" })
  })

  test("has a member for each session, and at most membersPerUserMax of them at all nodes", async () => {
    const { clock, all } = nodes(2, { limits: { membersPerUserMax: 2 } })
    const [first, second, third] = [1, 2, 3].map((n) => client(clock, `session-${n}`, "ada"))
    const one = await first!.connect(all[0], "one")
    await second!.connect(all[1], "two")
    const peer = await third!.connect(all[1], "three")
    expect(peer.last("removed")).toMatchObject({ code: "quota_exceeded" })
    expect(await first!.enter(one, "changed")).toMatchObject({ type: "result" })
    await client(clock, "session-1", "bob").connect(all[0], "other")
    await first!.leave(one)
    expect(await third!.enter(peer, "three")).toMatchObject({ type: "result" })
    expect((await moodsAt(all[0])).sort()).toEqual(["other", "three", "two"])
  })

  test("is named by `join`, snapshot and the channel's `users`, which has all of its members", async () => {
    const { clock, all } = nodes(1)
    const live = all[0].peer()
    await live.hello({ channel: "room/lobby" })
    const members: string[] = []
    for (const [session, user] of [
      ["a", "ada"],
      ["b", "ada"],
      ["a", "bob"],
    ] as const)
      members.push((await client(clock, session, user).connect(all[0], session)).last("welcome").member)
    const late = all[0].peer()
    await late.hello({ channel: "room/lobby" })
    expect(live.all("join").map(({ member, user }) => [member, user])).toEqual(
      ["ada", "ada", "bob"].map((user, n) => [members[n], user]),
    )
    expect(late.last("snapshot").entries).toMatchObject([{ user: "ada" }, { user: "ada" }, { user: "bob" }])
    const users = [...(await lobbyOf(all[0]).users())].map(([user, of]) => [user, [...of.keys()]])
    expect(users).toEqual([
      ["ada", members.slice(0, 2)],
      ["bob", members.slice(2)],
    ])
    expect([...(await lobbyOf(all[0]).members()).keys()]).toEqual(members)
  })

  test("without an id is not named, and each of its members is a user of its own", async () => {
    const { clock, all } = nodes(1, { authenticate: () => ({}) as never })
    const seen = await observe(all[0])
    const live = all[0].peer()
    await live.hello({ channel: "room/lobby" })
    const peers = [
      await client(clock, "a").connect(all[0], "calm"),
      await client(clock, "b").connect(all[0], "wild"),
    ]
    expect(seen()).toEqual(["join calm", "join wild"])
    for (const join of live.all("join")) expect(join).not.toHaveProperty("user")
    const members = peers.map((peer) => peer.last("welcome").member)
    expect([...(await lobbyOf(all[0]).users()).keys()]).toEqual(members)
  })
})
