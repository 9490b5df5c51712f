import { describe, expect, test } from "vitest"
import { memoryLog } from "../../../src/logs/memory/index.ts"
import { sharedLog } from "../../../src/testing/shared-log.ts"
import { virtualClock } from "../../../src/testing/virtual-clock.ts"
import { client, pendingHandlers, world } from "./world.ts"

const T = Date.UTC(2030, 0, 1)

describe.each(["a", "b"] as const)("with an older connection to node a, and a newer one to %s,", (to) => {
  const reconnected = async (options = {}) => {
    const w = await world(options)
    const before = await w.ada.connect(w.a, "calm", T)
    return { ...w, before, now: await w.ada.connect(w[to], "wild", T + 20) }
  }
  const superseded = { code: "superseded", version: T + 21 }

  test("late messages are refused with the lowest version, and its end removes nothing", async () => {
    const { clock, a, ada, before, now, moods } = await reconnected()
    expect(await ada.enter(before, "past", T + 10)).toMatchObject(superseded)
    expect(await ada.leave(before, T + 19)).toMatchObject(superseded)
    expect((await ada.connect(a, "past", T + 10)).last("removed")).toMatchObject(superseded)
    before.cut()
    await clock.advance(10_000)
    expect(await moods()).toEqual(["wild"])
    now.leave()
    await clock.settle()
    expect(await moods()).toEqual([])
  })

  test("a leave over the newer one is final for what was sent over the older one", async () => {
    const { clock, ada, before, now, moods } = await reconnected()
    await ada.leave(now, T + 30)
    expect(await ada.enter(before, "past", T + 30)).toMatchObject({ code: "superseded", version: T + 31 })
    await clock.advance(10_000)
    expect(await moods()).toEqual([])
  })

  test("the older one enters with a higher version, and stays when the newer one is lost", async () => {
    const { clock, ada, before, now, moods } = await reconnected()
    now.cut()
    expect(await ada.enter(before, "again", T + 21)).toMatchObject({ type: "result" })
    await clock.advance(10_000)
    expect(await moods()).toEqual(["again"])
  })

  test("the newer enter counts, though the handler of the older one answers last", async () => {
    const { answers, channels } = pendingHandlers()
    const { clock, moods } = await reconnected({ channels })
    for (const answer of answers.reverse()) {
      answer()
      await clock.settle()
    }
    expect(await moods()).toEqual(["wild"])
  })
})

test("of equal versions the first enter counts, and a leave counts after it", async () => {
  const { a, b, c, ada, moods } = await world()
  const [first, second, third] = [await ada.connect(a), await ada.connect(b), await ada.connect(c)]
  await ada.enter(first, "calm", T)
  for (const peer of [first, second])
    expect(await ada.enter(peer, "wild", T)).toMatchObject({ code: "superseded", version: T + 1 })
  expect(await moods()).toEqual(["calm"])
  expect(await ada.leave(third, T)).toMatchObject({ type: "result" })
  expect(await ada.enter(second, "wild", T)).toMatchObject({ code: "superseded", version: T + 1 })
  expect(await moods()).toEqual([])
})

test("a version more than a minute ahead is refused with the server's time", async () => {
  const { a, ada, moods } = await world()
  const peer = await ada.connect(a)
  const refused = { code: "version_ahead", version: T }
  expect(await ada.enter(peer, "calm", T + 60_001)).toMatchObject(refused)
  expect(await ada.leave(peer, T + 60_001)).toMatchObject(refused)
  expect(await moods()).toEqual([])
  expect(await ada.enter(peer, "calm", T + 60_000)).toMatchObject({ type: "result" })
})

test("after the server's clock was set back the lowest version is accepted", async () => {
  const { clock, a, b, ada, moods } = await world()
  await ada.connect(a, "calm", T)
  clock.jump(-3_600_000)
  const peer = await ada.connect(b)
  expect(await ada.enter(peer, "wild", clock.now())).toMatchObject({ code: "superseded", version: T + 1 })
  expect(await ada.enter(peer, "wild", T + 1)).toMatchObject({ type: "result" })
  expect(await ada.enter(peer, "mad", T + 120_000)).toMatchObject({ code: "version_ahead" })
  expect(await moods()).toEqual(["wild"])
})

test("a version below that of a removal which the log has forgotten is refused with the lowest", async () => {
  const clock = virtualClock()
  const engine = memoryLog({ epoch: "e1", now: clock.monotonic, tombstonesPerCollectionMax: 0 })
  const { a, ada, bob, moods } = await world({}, clock, sharedLog(engine))
  const [cyd, dan] = [client(clock, "cyd"), client(clock, "dan")]
  const [one, two] = [await ada.connect(a, "ada", T + 7), await cyd.connect(a, "cyd", T)]
  await dan.connect(a, "dan", T)
  await ada.leave(one, T + 7)
  await cyd.leave(two, T)
  clock.jump(-3_600_000)
  const peer = await bob.connect(a)
  expect(await bob.enter(peer, "bob")).toMatchObject({ code: "superseded", version: T + 8 })
  expect(await bob.enter(peer, "bob", T + 8)).toMatchObject({ type: "result" })
  expect(await moods()).toEqual(["bob", "dan"])
})
