import { expect, test } from "vitest"
import { client, world } from "./world.ts"

const T = Date.UTC(2030, 0, 1)

test("a user with the session of another user is another member", async () => {
  const { clock, a, b, moods } = await world()
  const [ada, mallory] = [client(clock, "the-session", "ada"), client(clock, "the-session", "mallory")]
  const own = await ada.connect(a, "calm", T)
  const other = await mallory.connect(b, "wild", T + 10)
  await mallory.leave(other, T + 20)
  expect(await moods()).toEqual(["calm"])
  expect(own.last("welcome").member).not.toBe(other.last("welcome").member)
  expect(await ada.enter(own, "glad", T + 1)).toMatchObject({ type: "result" })
})

test("a user has at most membersPerUserMax members, at all nodes together", async () => {
  const { clock, a, b, bob, moods } = await world({ limits: { membersPerUserMax: 2 } })
  const session = (n: number) => client(clock, `session-${n}`, "ada")
  const [first, second, third] = [session(1), session(2), session(3)]
  const one = await first.connect(a, "one")
  await second.connect(b, "two")
  await bob.connect(b, "other")
  const three = await third.connect(b, "three")
  expect(three.last("removed")).toMatchObject({ code: "quota_exceeded" })
  expect(await first.enter(one, "changed")).toMatchObject({ type: "result" })
  expect(await first.leave(one)).toMatchObject({ type: "result" })
  expect(await third.enter(three, "three")).toMatchObject({ type: "result" })
  expect(await moods()).toEqual(["other", "three", "two"])
})

test("`join`, the snapshot and the server's `users` name the user of each member", async () => {
  const { clock, a, bob, observer, lobby } = await world()
  const peers = []
  for (const session of ["1", "2"]) peers.push(await client(clock, session, "ada").connect(a, session))
  peers.push(await bob.connect(a, "3"))
  const members = peers.map((peer) => peer.last("welcome").member)
  const late = a.peer()
  await late.hello({ channel: "room/lobby" })
  const expected = ["ada", "ada", "bob"].map((user, index) => ({ user, member: members[index] }))
  expect(observer.all("join")).toMatchObject(expected)
  expect(late.last("snapshot").entries).toMatchObject(expected)
  expect([...(await lobby.members()).keys()]).toEqual(members)
  const users = [...(await lobby.users())].map(([user, of]) => [user, [...of.keys()]])
  expect(users).toEqual([
    ["ada", members.slice(0, 2)],
    ["bob", members.slice(2)],
  ])
})

test("a user without an id is not named, and each of its members is a user of its own", async () => {
  const { a, ada, bob, observer, lobby } = await world({ authenticate: () => ({}) as never })
  const peers = [await ada.connect(a, "calm"), await bob.connect(a, "wild")]
  for (const join of observer.all("join")) expect(join).not.toHaveProperty("user")
  expect([...(await lobby.users()).keys()]).toEqual(peers.map((peer) => peer.last("welcome").member))
})
