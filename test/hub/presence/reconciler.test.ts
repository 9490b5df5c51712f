import { describe, expect, test } from "vitest"
import { sharedLog } from "../../../src/testing/shared-log.ts"
import { virtualClock } from "../../../src/testing/virtual-clock.ts"
import { journaledLog } from "../journaled-log.ts"
import { client, world } from "./world.ts"

/** Longer than a lease and the heartbeats around it. */
const LONG_MS = 20_000

test("a node that was cut off for a lease enters again the members still there", async () => {
  const { clock, a, b, ada, bob, seen } = await world()
  const cyd = client(clock, "cyd")
  const [, , gone] = [await ada.connect(a, "ada"), await bob.connect(a, "bob"), await cyd.connect(a, "cyd")]
  await clock.advance(10_000)
  a.way.open = false
  await bob.connect(b, "bob")
  await clock.advance(LONG_MS)
  gone.cut()
  expect(seen().slice(3)).toEqual(["left", "left"])
  a.way.open = true
  await clock.advance(60_000)
  expect(seen().slice(5)).toEqual(["join ada"])
})

test("a node that was cut off for a lease does not enter again a client between two requests", async () => {
  const { clock, a, ada, seen } = await world()
  const poll = await ada.request(a, "calm")
  await clock.advance(10_000)
  a.way.open = false
  await clock.advance(LONG_MS)
  expect(seen()).toEqual(["join calm", "left"])
  poll.cut()
  a.way.open = true
  await clock.advance(60_000)
  expect(seen()).toEqual(["join calm", "left"])
})

test("an outage of the log removes no member, though nodes come back one by one", async () => {
  const { clock, a, b, c, ada, bob, seen } = await world()
  await ada.connect(a, "calm")
  await bob.request(b, "wild")
  await clock.advance(10_000)
  for (const { way } of [a, b, c]) way.open = false
  await clock.advance(LONG_MS)
  for (const { way } of [c, b, a]) {
    way.open = true
    await clock.advance(3_000)
  }
  await clock.advance(60_000)
  expect(seen()).toEqual(["join calm", "join wild"])
})

test("enters, changes and leaves in the lost tail of a log are repeated", async () => {
  const clock = virtualClock()
  const engine = journaledLog({ now: clock.monotonic })
  const { a, b, ada, bob, moods } = await world({}, clock, sharedLog(engine.log))
  const cyd = client(clock, "cyd")
  await ada.connect(a, "ada")
  const leaving = await bob.connect(a, "bob")
  await clock.advance(10_000)
  const backup = engine.backUp()
  await ada.connect(b, "ada, changed elsewhere")
  await bob.leave(leaving)
  await cyd.connect(a, "cyd")
  await engine.restore(backup)
  await engine.tellHeads()
  await clock.advance(LONG_MS)
  expect(await moods()).toEqual(["ada, changed elsewhere", "cyd"])
})

describe.each([
  ["refused", "log_unavailable"],
  ["doubtful", "in_doubt"],
] as const)("while appends are %s,", (mode, code) => {
  test("an enter, a change and a leave fail, and are carried out when the log is back", async () => {
    const { clock, a, ada, control, moods } = await world()
    const peer = await ada.connect(a)
    for (const mood of ["calm", "wild", undefined]) {
      control.mode = mode
      expect(await (mood === undefined ? ada.leave(peer) : ada.enter(peer, mood))).toMatchObject({ code })
      control.mode = "open"
      await clock.advance(1_000)
      expect(await moods()).toEqual(mood === undefined ? [] : [mood])
    }
  })

  test("the end of a connection holds for what it has asked for", async () => {
    const { clock, a, ada, control, moods } = await world()
    const peer = await ada.connect(a, "calm")
    control.mode = mode
    await ada.enter(peer, "wild")
    peer.leave()
    await clock.advance(500)
    control.mode = "open"
    await clock.advance(1_000)
    expect(await moods()).toEqual([])
  })

  test("a request enters later, and is not removed while it is open", async () => {
    const { clock, a, ada, control, moods } = await world()
    control.mode = mode
    const poll = await ada.request(a, "calm")
    control.mode = "open"
    await clock.advance(60_000)
    expect(await moods()).toEqual(["calm"])
    expect(poll.all("removed")).toEqual([])
    poll.cut()
    await clock.advance(8_000)
    expect(await moods()).toEqual([])
  })
})

describe("an enter that the log carries out late", () => {
  test.each(["connect", "request"] as const)("enters no member whose %s has ended", async (how) => {
    const { clock, a, ada, control, release, moods } = await world()
    control.mode = "held"
    const peer = await ada[how](a, "calm")
    peer.cut()
    await clock.advance(9_000)
    release()
    await clock.advance(10_000)
    expect(await moods()).toEqual([])
  })

  test("does not count when the client has entered at another node since", async () => {
    const { clock, a, b, ada, control, release, seen } = await world()
    control.mode = "held"
    const before = await ada.connect(a, "calm")
    before.cut()
    control.mode = "open"
    await ada.connect(b, "wild")
    release()
    await clock.advance(10_000)
    expect(seen()).toEqual(["join wild"])
  })

  test("counts until the member leaves, though its node was taken for dead meanwhile", async () => {
    const { clock, a, ada, control, release, moods } = await world()
    await clock.advance(10_000)
    control.mode = "held"
    const peer = await ada.connect(a, "calm")
    a.way.open = false
    await clock.advance(LONG_MS)
    a.way.open = true
    await clock.advance(3_000)
    release()
    await clock.advance(30_000)
    expect(await moods()).toEqual(["calm"])
    peer.leave()
    await clock.advance(2_000)
    expect(await moods()).toEqual([])
  })
})
