import { describe, expect, test } from "vitest"
import { sharedLog } from "../../../src/testing/shared-log.ts"
import { virtualClock } from "../../../src/testing/virtual-clock.ts"
import { journaledLog } from "../journaled-log.ts"
import { nodes } from "../node-rig.ts"
import { client, moodsAt, observe } from "./client.ts"
import { controlledLog } from "./controlled-log.ts"

/** Longer than a lease and the heartbeats around it. */
const LONG_MS = 20_000

function controlledNodes(count: number) {
  const clock = virtualClock()
  const { log, control, release } = controlledLog(clock)
  return { ...nodes(count, {}, clock, log), control, release }
}

describe("a node that is cut off from the log for longer than a lease", () => {
  test("has its members removed, and enters them again when it is back", async () => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[1])
    await client(clock).connect(all[0], "calm")
    await clock.advance(10_000)
    all[0].way.open = false
    await clock.advance(LONG_MS)
    expect(seen()).toEqual(["join calm", "left"])
    all[0].way.open = true
    await clock.advance(3_000)
    expect(seen()).toEqual(["join calm", "left", "join calm"])
    await clock.advance(60_000)
    expect(seen()).toHaveLength(3)
  })

  test("enters neither members that went elsewhere nor those whose connection has ended", async () => {
    const { clock, all } = nodes(2)
    const seen = await observe(all[1])
    const [ada, bob] = [client(clock, "ada"), client(clock, "bob")]
    await ada.connect(all[0], "calm")
    const gone = await bob.connect(all[0], "calm")
    await clock.advance(10_000)
    all[0].way.open = false
    await ada.connect(all[1], "wild")
    gone.cut()
    await clock.advance(LONG_MS)
    all[0].way.open = true
    await clock.advance(60_000)
    expect(seen()).toEqual(["join calm", "join calm", "join wild", "left"])
  })
})

test("an outage of the log for all nodes removes nobody", async () => {
  const { clock, all } = nodes(2)
  const seen = await observe(all[1])
  await client(clock, "ada").connect(all[0], "calm")
  await client(clock, "bob").request(all[1], "wild")
  await clock.advance(10_000)
  for (const { way } of all) way.open = false
  await clock.advance(LONG_MS)
  all[1].way.open = true
  // the first node is back within the lease that the second one has to wait for
  await clock.advance(5_000)
  all[0].way.open = true
  await clock.advance(60_000)
  expect(seen()).toEqual(["join calm", "join wild"])
})

describe("a log that loses its tail", () => {
  const world = async () => {
    const clock = virtualClock()
    const engine = journaledLog({ now: clock.monotonic })
    const { all } = nodes(2, {}, clock, sharedLog(engine.log))
    const loseSince = async (backup: number) => {
      await engine.restore(backup)
      await engine.tellHeads()
      await clock.advance(LONG_MS)
    }
    return { clock, all, engine, loseSince, ada: client(clock) }
  }

  test("has members again whose enter or change it has lost", async () => {
    const { clock, all, engine, loseSince, ada } = await world()
    const bob = client(clock, "bob")
    const peer = await bob.connect(all[1], "calm")
    await clock.advance(10_000)
    const backup = engine.backUp()
    await ada.connect(all[0], "calm")
    await bob.enter(peer, "wild")
    await loseSince(backup)
    expect((await moodsAt(all[0])).sort()).toEqual(["calm", "wild"])
  })

  test("loses members again whose leave it has lost", async () => {
    const { clock, all, engine, loseSince, ada } = await world()
    const peer = await ada.connect(all[0], "calm")
    await clock.advance(10_000)
    const backup = engine.backUp()
    await ada.leave(peer)
    await loseSince(backup)
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("has a member as it entered at another node, though it has lost that", async () => {
    const { clock, all, engine, loseSince, ada } = await world()
    await ada.connect(all[0], "calm")
    await clock.advance(10_000)
    const backup = engine.backUp()
    await ada.connect(all[1], "wild")
    await loseSince(backup)
    expect(await moodsAt(all[0])).toEqual(["wild"])
  })
})

describe.each(["refused", "doubtful"] as const)("a log by which appends are %s", (mode) => {
  test("has an enter, a change and a leave when it accepts appends again", async () => {
    const { clock, all, control } = controlledNodes(1)
    const ada = client(clock)
    const peer = await ada.connect(all[0])
    const code = mode === "refused" ? "log_unavailable" : "in_doubt"
    for (const mood of ["calm", "wild", undefined]) {
      control.mode = mode
      const answer = await (mood === undefined ? ada.leave(peer) : ada.enter(peer, mood))
      expect(answer).toMatchObject({ code })
      control.mode = "open"
      await clock.advance(1_000)
      expect(await moodsAt(all[0])).toEqual(mood === undefined ? [] : [mood])
    }
  })

  test("does not have a member whose connection has ended meanwhile", async () => {
    const { clock, all, control } = controlledNodes(1)
    const ada = client(clock)
    const peer = await ada.connect(all[0], "calm")
    control.mode = mode
    await ada.enter(peer, "wild")
    peer.leave()
    await clock.advance(500)
    control.mode = "open"
    await clock.advance(1_000)
    expect(await moodsAt(all[0])).toEqual([])
  })

  test("has a member of a request that stays open, and not after it", async () => {
    const { clock, all, control } = controlledNodes(2)
    control.mode = mode
    const poll = await client(clock).request(all[1], "calm")
    control.mode = "open"
    await clock.advance(60_000)
    expect(await moodsAt(all[0])).toEqual(["calm"])
    expect(poll.all("removed")).toEqual([])
    poll.cut()
    await clock.advance(8_000)
    expect(await moodsAt(all[0])).toEqual([])
  })
})

describe("a slow log", () => {
  test.each(["connect", "request"] as const)(
    "has no member in the end that has gone before it carried out the enter of its %s",
    async (how) => {
      const { clock, all, control, release } = controlledNodes(1)
      control.mode = "held"
      const peer = await client(clock)[how](all[0], "calm")
      peer.cut()
      await clock.advance(9_000)
      release()
      await clock.advance(10_000)
      expect(await moodsAt(all[0])).toEqual([])
    },
  )

  test("carries out the enter of an older connection last, and it does not count", async () => {
    const { clock, all, control, release } = controlledNodes(2)
    const ada = client(clock)
    control.mode = "held"
    const before = await ada.connect(all[0], "calm")
    before.cut()
    control.mode = "open"
    await ada.connect(all[1], "wild")
    await clock.advance(2_000)
    release()
    await clock.advance(10_000)
    expect(await moodsAt(all[0])).toEqual(["wild"])
  })

  test("carries out an enter when its node was taken for dead, and has the member until it leaves", async () => {
    const { clock, all, control, release } = controlledNodes(2)
    await clock.advance(10_000)
    control.mode = "held"
    const ada = client(clock)
    const peer = await ada.connect(all[0], "calm")
    all[0].way.open = false
    await clock.advance(LONG_MS)
    all[0].way.open = true
    await clock.advance(3_000)
    release()
    await clock.advance(30_000)
    expect(await moodsAt(all[1])).toEqual(["calm"])
    peer.leave()
    await clock.advance(2_000)
    expect(await moodsAt(all[1])).toEqual([])
  })
})
