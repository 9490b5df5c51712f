import { describe, expect, test } from "vitest"
import type { Log } from "../../../src/log/log.ts"
import { sharedLog } from "../../../src/testing/shared-log.ts"
import { virtualClock } from "../../../src/testing/virtual-clock.ts"
import { journaledLog } from "../journaled-log.ts"
import { leasingLog, nodes } from "../node-rig.ts"
import { CHANNEL, client, world } from "./world.ts"

const LEASE_MS = 8_000
/** A lease, and the heartbeat that finds it over. */
const FOUND_MS = 10_100

describe.each(["connect", "request"] as const)("members of a killed node that %s", (how) => {
  test("are removed when its lease is over, no sooner and once", async () => {
    const { clock, a, ada, seen } = await world()
    await ada[how](a, "calm")
    await clock.advance(LEASE_MS + 2_000)
    a.kill()
    await clock.advance(5_900)
    expect(seen()).toEqual(["join calm"])
    await clock.advance(FOUND_MS - 5_900)
    expect(seen()).toEqual(["join calm", "left"])
  })

  test("are not seen to leave when they come to another node in time", async () => {
    const { clock, a, b, ada, seen } = await world()
    await ada[how](a, "calm")
    await clock.advance(LEASE_MS)
    a.kill()
    await clock.advance(5_000)
    await ada[how](b, "calm")
    await clock.advance(60_000)
    expect(seen()).toEqual(["join calm"])
  })
})

test("members of two killed nodes are removed unless they moved, also without a bus", async () => {
  const clock = virtualClock()
  const { bus: _, ...log } = sharedLog(leasingLog(clock))
  const { a, b, c, ada, bob, seen } = await world({}, clock, log)
  await ada.connect(a, "calm")
  await bob.connect(b, "wild")
  await clock.advance(LEASE_MS)
  for (const node of [a, b]) node.kill()
  await bob.connect(c, "wild")
  await clock.advance(2 * FOUND_MS)
  expect(seen()).toEqual(["join calm", "join wild", "left"])
})

test("members are removed though the node that was removing them is killed too", async () => {
  const { clock, a, b, c, start, ada, control, release } = await world()
  await ada.connect(a, "calm")
  const last = start()
  await clock.advance(LEASE_MS)
  a.kill()
  control.mode = "held"
  const { appends } = control
  await clock.until(() => control.appends > appends)
  for (const node of [b, c]) node.kill()
  release()
  await clock.advance(2 * FOUND_MS)
  expect(await last.hub.channel("room/:room", { room: "lobby" }).members()).toEqual(new Map())
})

test("members are removed by a later heartbeat when the log fails at first", async () => {
  const { clock, a, ada, control, seen } = await world()
  await ada.connect(a, "calm")
  await clock.advance(LEASE_MS)
  a.kill()
  control.mode = "refused"
  await clock.advance(2 * FOUND_MS)
  control.mode = "open"
  expect(seen()).toEqual(["join calm"])
  await clock.advance(2_000)
  expect(seen()).toEqual(["join calm", "left"])
})

test("1,000 members of a killed node are removed in batches of a page", async () => {
  const { clock, a, control, seen } = await world({ limits: { pageEntriesMax: 50 } })
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => client(clock, `c${n}`).connect(a, "calm")))
  await clock.advance(LEASE_MS)
  expect(seen()).toHaveLength(1_000)
  a.kill()
  control.atOnceMax = 0
  await clock.advance(FOUND_MS)
  expect(seen().slice(1_000)).toEqual(Array(1_000).fill("left"))
  expect(control.atOnceMax).toBe(50)
})

test("members of an earlier process are removed after a lease unless they return", async () => {
  const clock = virtualClock()
  const { all, start } = nodes(1, {}, clock, { ...leasingLog(clock), durable: true })
  const [ada, bob] = [client(clock, "ada"), client(clock, "bob")]
  await ada.connect(all[0], "calm")
  const name = (await bob.connect(all[0], "wild")).last("welcome").member
  all[0].kill()
  await clock.advance(60_000)
  const after = start()
  const members = async () => (await after.hub.channel("room/:room", { room: "lobby" }).members()).keys()
  await bob.connect(after, "wild")
  await clock.advance(LEASE_MS - 1)
  expect([...(await members())]).toHaveLength(2)
  await clock.advance(2_001)
  expect([...(await members())]).toEqual([name])
})

test("members that a node enters again are not removed by a node that is still removing them", async () => {
  const clock = virtualClock()
  const engine = sharedLog(leasingLog(clock))
  const held: (() => void)[] = []
  let isHeld = false
  const read: Log["read"] = async (channel, range) => {
    if (isHeld && channel === CHANNEL) {
      isHeld = false
      await new Promise<void>((resolve) => held.push(resolve))
    }
    return engine.read(channel, range)
  }
  const { a, ada, moods } = await world({}, clock, { ...engine, read })
  await ada.connect(a, "calm")
  await clock.advance(LEASE_MS)
  a.way.open = false
  isHeld = true
  await clock.until(() => held.length > 0)
  a.way.open = true
  await clock.advance(5_000)
  for (const release of held) release()
  await clock.advance(FOUND_MS)
  expect(await moods()).toEqual(["calm"])
})

test("members of a node whose list was in a lost tail are removed when it is killed later", async () => {
  const clock = virtualClock()
  const engine = journaledLog({ now: clock.monotonic })
  const { a, ada, moods } = await world({}, clock, sharedLog(engine.log))
  await clock.advance(LEASE_MS)
  const backup = engine.backUp()
  await ada.connect(a, "calm")
  await engine.restore(backup)
  await engine.tellHeads()
  await clock.advance(LEASE_MS)
  expect(await moods()).toEqual(["calm"])
  a.kill()
  await clock.advance(2 * FOUND_MS)
  expect(await moods()).toEqual([])
})
