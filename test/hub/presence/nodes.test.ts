import { expect, test } from "vitest"
import { world } from "./world.ts"

test.each(["connect", "request"] as const)(
  "members of a drained node stay when they %s elsewhere",
  async (how) => {
    const { clock, a, b, ada, seen } = await world()
    const before = await ada[how](a, "calm")
    await clock.advance(5_000)
    const drained = a.hub.handOverMembers().then(() => a.hub.close())
    before.cut()
    await ada[how](b, "calm")
    await clock.run(drained)
    await clock.advance(30_000)
    expect(seen()).toEqual(["join calm"])
  },
)

test("members of a node that closes leave, those of requests a lease later", async () => {
  const { clock, a, ada, bob, moods } = await world()
  await ada.connect(a, "connected")
  const poll = await bob.request(a, "polling")
  await clock.advance(5_000)
  poll.cut()
  await clock.run(a.hub.close())
  expect(await moods()).toEqual(["polling"])
  await clock.advance(12_000)
  expect(await moods()).toEqual([])
})

test("nodes that close or are killed leave no key behind", async () => {
  const { clock, a, b, c } = await world()
  await clock.advance(12_000)
  await clock.run(a.hub.close())
  b.kill()
  await clock.advance(12_000)
  const range = { after: 0, through: 999, select: "fold", entriesMax: 99, bytesMax: 1e6 } as const
  expect((await c.log.read("$nodes", range)).entries).toHaveLength(1)
})

test("a wall clock that is set removes no member", async () => {
  const { clock, a, ada, seen } = await world()
  await ada.connect(a, "calm")
  for (const ms of [3_600_000, -7_200_000]) {
    clock.jump(ms)
    await clock.advance(20_000)
  }
  expect(seen()).toEqual(["join calm"])
})
