import { describe, expect, test } from "vitest"
import { virtualClock } from "../../../src/testing/virtual-clock.ts"
import { leasingLog, nodes } from "../node-rig.ts"
import { client, moodsAt, observe } from "./client.ts"
import { controlledLog } from "./controlled-log.ts"

/** A lease, and the heartbeat of the node that finds that it is over. */
const LEASE_MS = 8_000
const FOUND_MS = 10_100

describe("members of a node that is killed", () => {
  test.each(["connect", "request"] as const)(
    "who %s are removed when its lease is over, no sooner and once",
    async (how) => {
      const { clock, all } = nodes(3)
      const seen = [await observe(all[1]), await observe(all[2])]
      await client(clock)[how](all[0], "calm")
      await clock.advance(LEASE_MS + 2_000)
      all[0].kill()
      await clock.advance(5_900)
      for (const each of seen) expect(each()).toEqual(["join calm"])
      await clock.advance(FOUND_MS - 5_900)
      for (const each of seen) expect(each()).toEqual(["join calm", "left"])
    },
  )

  test("are removed though nobody subscribes to their channel", async () => {
    const { clock, all } = nodes(2)
    await client(clock).connect(all[0], "calm")
    await clock.advance(LEASE_MS)
    all[0].kill()
    await clock.advance(FOUND_MS)
    expect(await moodsAt(all[1])).toEqual([])
  })

  test.each(["connect", "request"] as const)("stay when they %s to another node meanwhile", async (how) => {
    const { clock, all } = nodes(3)
    const seen = await observe(all[2])
    const ada = client(clock)
    await ada[how](all[0], "calm")
    await clock.advance(LEASE_MS)
    all[0].kill()
    await clock.advance(5_000)
    await ada[how](all[1], "calm")
    await clock.advance(60_000)
    expect(seen()).toEqual(["join calm"])
  })

  test("are removed by a node that has started since, once it has been up for a lease", async () => {
    const { clock, all, start } = nodes(1)
    await client(clock).connect(all[0], "calm")
    all[0].kill()
    await clock.advance(60_000)
    const node = start()
    await clock.advance(LEASE_MS - 1)
    expect(await moodsAt(node)).toEqual(["calm"])
    await clock.advance(2_100)
    expect(await moodsAt(node)).toEqual([])
  })

  test("are removed when the node that was removing them is killed too", async () => {
    const clock = virtualClock()
    const { log, control, release } = controlledLog(clock)
    const { all } = nodes(3, {}, clock, log)
    await client(clock).connect(all[0], "calm")
    await clock.advance(LEASE_MS)
    all[0].kill()
    const before = control.appends
    control.mode = "held"
    await clock.until(() => control.appends > before)
    // one of them reaps, and its removal is held up
    all[1].kill()
    release()
    await clock.advance(2 * FOUND_MS)
    expect(await moodsAt(all[2])).toEqual([])
  })

  test("are removed by a later heartbeat when the log fails at first", async () => {
    const clock = virtualClock()
    const { log, control } = controlledLog(clock)
    const { all } = nodes(2, {}, clock, log)
    await client(clock).connect(all[0], "calm")
    await clock.advance(LEASE_MS)
    all[0].kill()
    control.mode = "refused"
    await clock.advance(2 * FOUND_MS)
    expect(await moodsAt(all[1])).toEqual(["calm"])
    expect(all[1].problems).not.toEqual([])
    control.mode = "open"
    await clock.advance(2_000)
    expect(await moodsAt(all[1])).toEqual([])
  })

  test("are removed in batches of a page, however many they are", async () => {
    const clock = virtualClock()
    const { log, control } = controlledLog(clock)
    const { all } = nodes(2, { limits: { pageEntriesMax: 50 } }, clock, log)
    const seen = await observe(all[1])
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => client(clock, `c${n}`).connect(all[0], "calm")))
    await clock.advance(LEASE_MS)
    expect(seen()).toHaveLength(1_000)
    all[0].kill()
    control.atOnceMax = 0
    await clock.advance(FOUND_MS)
    expect(seen().slice(1_000)).toEqual(Array(1_000).fill("left"))
    expect(control.atOnceMax).toBeLessThanOrEqual(50)
  })
})

test("two nodes that are killed leave no member behind, and take none along that went elsewhere", async () => {
  const { clock, all } = nodes(3)
  const [ada, bob] = [client(clock, "ada"), client(clock, "bob")]
  await ada.connect(all[0], "calm")
  await bob.connect(all[1], "wild")
  await clock.advance(LEASE_MS)
  for (const node of [all[0], all[1]]) node.kill()
  await bob.connect(all[2], "wild")
  await clock.advance(FOUND_MS + 2_000)
  expect(await moodsAt(all[2])).toEqual(["wild"])
})

test("members of an earlier process of a durable log are removed after a lease unless they come back", async () => {
  const clock = virtualClock()
  const log = { ...leasingLog(clock), durable: true }
  const { all, start } = nodes(1, {}, clock, log)
  const [ada, bob] = [client(clock, "ada"), client(clock, "bob")]
  await ada.connect(all[0], "calm")
  await bob.connect(all[0], "wild")
  all[0].kill()
  const after = start()
  const seen = await observe(after)
  await bob.connect(after, "wild")
  await clock.advance(LEASE_MS - 100)
  expect(await moodsAt(after)).toEqual(["calm", "wild"])
  await clock.advance(2_200)
  expect(await moodsAt(after)).toEqual(["wild"])
  expect(seen()).toEqual(["left"])
})
