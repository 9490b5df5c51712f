import { describe, expect, test } from "vitest"
import { sharedLog } from "../../../src/testing/shared-log.ts"
import { virtualClock } from "../../../src/testing/virtual-clock.ts"
import { leasingLog, type Node, nodes } from "../node-rig.ts"
import { client, moodsAt, observe } from "./client.ts"

const keysOfNodes = async ({ log }: Node) => {
  const range = { after: 0, through: 999, select: "fold", entriesMax: 99, bytesMax: 1e6 } as const
  return (await log.read("$nodes", range)).entries.map(({ key }) => key)
}

describe("a member that comes back to a node", () => {
  test("stays when the node that it was at meanwhile sees that connection end", async () => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[1])
    const ada = client(clock)
    for (const node of [all[0], all[1]]) (await ada.connect(node, "calm")).cut()
    await ada.connect(all[0], "calm")
    await clock.advance(20_000)
    expect(seen()).toEqual(["join calm"])
  })

  test("is gone when it leaves, though its connection to another node still seems to be open", async () => {
    const { clock, all } = nodes(2)
    const ada = client(clock)
    await ada.connect(all[0], "calm")
    await ada.leave(await ada.connect(all[1], "calm"))
    await clock.advance(20_000)
    expect(await moodsAt(all[0])).toEqual([])
  })
})

describe("members of a node that is drained", () => {
  test.each(["connect", "request"] as const)("stay when they %s to another node", async (how) => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[1])
    const ada = client(clock)
    const before = await ada[how](all[0], "calm")
    await clock.advance(5_000)
    const drained = all[0].hub.handOverMembers().then(() => all[0].hub.close())
    before.cut()
    await ada[how](all[1], "calm")
    await clock.run(drained)
    await clock.advance(30_000)
    expect(seen()).toEqual(["join calm"])
  })

  test("leave when it closes if they were connected, and a lease later if they came with requests", async () => {
    const { clock, all } = nodes(2)
    await client(clock, "ada").connect(all[0], "connected")
    const poll = await client(clock, "bob").request(all[0], "polling")
    await clock.advance(5_000)
    poll.cut()
    await clock.run(all[0].hub.close())
    expect(await moodsAt(all[1])).toEqual(["polling"])
    await clock.advance(12_000)
    expect(await moodsAt(all[1])).toEqual([])
  })
})

test("nodes that close or are killed leave no key behind", async () => {
  const { clock, all } = nodes(3)
  await clock.advance(12_000)
  await clock.run(all[0].hub.close())
  all[1].kill()
  await clock.advance(12_000)
  expect(await keysOfNodes(all[2])).toHaveLength(1)
})

test("a wall clock that is set removes nobody", async () => {
  const { clock, all } = nodes(2)
  const seen = await observe(all[1])
  await client(clock).connect(all[0], "calm")
  for (const ms of [3_600_000, -7_200_000]) {
    clock.jump(ms)
    await clock.advance(20_000)
  }
  expect(seen()).toEqual(["join calm"])
})

test("nodes that share no bus have the same members", async () => {
  const clock = virtualClock()
  const { bus: _, ...log } = sharedLog(leasingLog(clock))
  const { all } = nodes(2, {}, clock, log)
  const seen = await observe(all[1])
  const ada = client(clock)
  for (let n = 0; n < 6; n++) {
    const poll = await ada.request(all[n % 2] as Node, "calm")
    await clock.advance(5_000)
    poll.cut()
  }
  all[1].kill()
  await clock.advance(20_000)
  expect(seen()).toEqual(["join calm"])
  expect(await moodsAt(all[0])).toEqual([])
})
