import { describe, expect, test } from "vitest"
import { type Change, Subscription } from "../../src/client/subscription.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import type { EntryMessage, History, SnapshotEntry } from "../../src/protocol/message.ts"

const alias = 1
const at = 0
const position = (offset: number, epoch = "e") => ({ epoch, offset })
const event = (offset: number, data: unknown = offset): EntryMessage => ({
  type: "event",
  alias,
  offset,
  at,
  name: "said",
  data,
})
const set = (offset: number, key: string, data: unknown) =>
  ({ type: "set", alias, offset, at, name: "price", key, data }) as const
const join = (offset: number, member: string) =>
  ({ type: "join", alias, offset, at, member, data: member.toUpperCase() }) as const

function subscribed(offset: number, { top = offset, snapshot = false, epoch = "e" } = {}) {
  return {
    type: "subscribed",
    channel: "c",
    alias,
    position: position(offset, epoch),
    top,
    snapshot,
  } as const
}
function snapshot(offset: number, entries: readonly SnapshotEntry[], last = true) {
  return { type: "snapshot", alias, offset, entries, last } as const
}
function gap(from: number, to: number, withSnapshot: boolean) {
  return {
    type: "gap",
    alias,
    reason: "trimmed",
    from: position(from),
    to: position(to),
    position: position(to),
    snapshot: withSnapshot,
  } as const
}

function newEpoch(from: number, withSnapshot = false) {
  const to = position(0, "f")
  return { ...gap(from, 0, withSnapshot), reason: "new-epoch", to, position: to } as const
}

/** A subscription, and what it told. */
function wanted(history?: History) {
  let told: Change[] = []
  const subscription = new Subscription("c", history, (change) => told.push(change))
  subscription.subscribe()
  const take = () => {
    const taken = told
    told = []
    return taken
  }
  return { subscription, take }
}

function live(offset: number, options = {}) {
  const { subscription, take } = wanted()
  subscription.request()
  subscription.handleMessage(subscribed(offset, options))
  take()
  return { subscription, take }
}

describe("what it asks for", () => {
  test("first as much history as was wanted, then from where it stands", () => {
    const { subscription } = wanted({ last: 5 })
    expect(subscription.request()).toEqual({ channel: "c", history: { last: 5 } })
    subscription.handleMessage(subscribed(7))
    subscription.handleMessage(event(8))
    expect(subscription.request()).toEqual({ channel: "c", position: position(8) })
  })

  test("of a log that is empty, from its beginning", () => {
    expect(live(0).subscription.request()).toEqual({ channel: "c", position: position(0) })
  })

  test("with the end of its snapshot, as long as its position is below", () => {
    const { subscription } = wanted()
    subscription.handleMessage(subscribed(5, { snapshot: true }))
    subscription.handleMessage(snapshot(9, [set(8, "A", 1)]))
    expect(subscription.request()).toEqual({ channel: "c", position: position(5), snapshotOffset: 9 })
    subscription.handleMessage(event(7))
    expect(subscription.request()).toEqual({ channel: "c", position: position(7), snapshotOffset: 9 })
    subscription.handleMessage(event(9))
    expect(subscription.request()).toEqual({ channel: "c", position: position(9) })
  })

  test("without the end of a snapshot of another epoch", () => {
    const { subscription } = wanted()
    subscription.handleMessage(subscribed(5, { snapshot: true }))
    subscription.handleMessage(snapshot(9, []))
    subscription.handleMessage(newEpoch(5))
    expect(subscription.request()).toEqual({ channel: "c", position: position(0, "f") })
  })

  test("for the value that the server loads, until a snapshot is complete", () => {
    const { subscription } = live(5)
    const ask = subscription.ask
    subscription.load()
    expect(subscription.ask).not.toBe(ask)
    expect(subscription.request()).toEqual({ channel: "c", position: position(5), load: true })
    subscription.handleMessage(subscribed(5, { snapshot: true }))
    subscription.handleMessage(snapshot(9, [], false))
    subscription.handleDown()
    expect(subscription.request()).toMatchObject({ load: true })
    subscription.handleMessage(subscribed(5, { snapshot: true }))
    subscription.handleMessage(snapshot(9, []))
    expect(subscription.request()).toEqual({ channel: "c", position: position(5), snapshotOffset: 9 })
  })
})

describe("entries", () => {
  test("move the position and are told in order; what lies at or below it is dropped and counted", () => {
    const { subscription, take } = live(5)
    for (const offset of [6, 7, 7, 5, 9]) subscription.handleMessage(event(offset))
    expect(take().map(({ told }) => told[0])).toEqual([6, 7, 9])
    expect(subscription.position).toEqual(position(9))
    expect(subscription.stats).toEqual({ delivered: 3, replayed: 0, duplicates: 2, gaps: 0 })
  })

  test("are replayed up to the top at the time of subscribing", () => {
    const { subscription, take } = live(0, { top: 2 })
    for (const offset of [1, 2, 3]) subscription.handleMessage(event(offset))
    const events = take().filter(({ type }) => type === "event")
    expect(events.map(({ told }) => told[1])).toEqual([
      { offset: 1, at, replayed: true },
      { offset: 2, at, replayed: true },
      { offset: 3, at, replayed: false },
    ])
  })

  test("come before it is live, if they were there when it was asked for", () => {
    const { subscription, take } = wanted("all")
    take()
    subscription.handleMessage(subscribed(0, { top: 2 }))
    subscription.handleMessage(event(1))
    // another poll, before all of it is here
    subscription.handleMessage(subscribed(1, { top: 9 }))
    expect(subscription.status).toBe("subscribing")
    subscription.handleMessage(event(2))
    expect(take().map(({ type, told }) => [type, told[0]])).toEqual([
      ["event", 1],
      ["event", 2],
      ["status", "live"],
    ])
  })

  test("are not awaited when the log is another one", () => {
    const { subscription } = live(1, { top: 9 })
    expect(subscription.status).toBe("subscribing")
    subscription.handleMessage(newEpoch(1))
    expect(subscription.status).toBe("live")
  })

  test("set and delete the keys of a state", () => {
    const { subscription, take } = live(0)
    subscription.handleMessage(set(1, "A", 1))
    subscription.handleMessage(set(2, "A", null))
    subscription.handleMessage({ type: "delete", alias, offset: 3, at, name: "price", key: "A" })
    subscription.handleMessage({ type: "delete", alias, offset: 4, at, name: "price", key: "unknown" })
    expect(take().map(({ told }) => told)).toEqual([
      [{ key: "A", value: 1, previous: undefined }],
      [{ key: "A", value: null, previous: 1 }],
      [{ key: "A", value: undefined, previous: null }],
    ])
    expect(subscription.values("price").size).toBe(0)
  })

  test("bring members and take them away", () => {
    const { subscription, take } = live(0)
    subscription.handleMessage(join(1, "ada"))
    subscription.handleMessage(join(2, "bob"))
    subscription.handleMessage({ type: "left", alias, offset: 3, at, member: "ada" })
    expect([...subscription.members.data]).toEqual([["bob", "BOB"]])
    expect(take().map(({ type }) => type)).toEqual(["join", "members", "join", "members", "left", "members"])
  })
})

describe("a snapshot", () => {
  test("is applied when its last part is here, all at once", () => {
    const { subscription } = wanted()
    subscription.handleMessage(subscribed(10, { snapshot: true }))
    subscription.handleMessage(snapshot(10, [set(3, "A", 1)], false))
    expect(subscription.status).toBe("subscribing")
    expect(subscription.position).toBeUndefined()
    expect(subscription.values("price").size).toBe(0)
    subscription.handleMessage(snapshot(10, [set(5, "B", 2), join(6, "ada")]))
    expect(subscription.status).toBe("live")
    expect(subscription.position).toEqual(position(10))
    expect([...subscription.values("price")]).toEqual([
      ["A", 1],
      ["B", 2],
    ])
    expect([...subscription.members.data.keys()]).toEqual(["ada"])
    subscription.handleMessage(set(11, "A", 3))
    expect(subscription.values("price").get("A")).toBe(3)
  })

  test("that begins again has nothing of the parts before", () => {
    const { subscription } = wanted()
    subscription.handleMessage(subscribed(5, { snapshot: true }))
    subscription.handleMessage(snapshot(1, [set(1, "a", 1), join(1, "ada")], false))
    subscription.handleMessage({ ...snapshot(2, [set(2, "b", 2)], false), restarts: true })
    subscription.handleMessage(snapshot(5, [set(3, "c", 3)]))
    expect(Object.fromEntries(subscription.values("price"))).toEqual({ b: 2, c: 3 })
    expect(subscription.members.data.size).toBe(0)
  })

  test("that was cut in the middle leaves no trace", () => {
    const { subscription, take } = live(5)
    subscription.handleMessage(set(6, "A", 1))
    take()
    subscription.handleMessage(gap(6, 20, true))
    subscription.handleMessage(snapshot(20, [set(15, "B", 2)], false))
    subscription.handleDown()
    expect(take()).toEqual([{ type: "status", told: ["subscribing", undefined] }])
    expect([...subscription.values("price")]).toEqual([["A", 1]])
    expect(subscription.request()).toEqual({ channel: "c", position: position(6) })
  })

  test("is told as the difference to what was there", () => {
    const { subscription, take } = live(0)
    for (const entry of [set(1, "A", 1), set(2, "B", 2), set(3, "C", 3)]) subscription.handleMessage(entry)
    take()
    subscription.handleMessage(gap(3, 20, true))
    subscription.handleMessage(snapshot(20, [set(1, "A", 1), set(15, "B", 5), set(16, "D", 4)]))
    const changes = take()
    expect(changes.filter(({ type }) => type === "state").map(({ told }) => told[0])).toEqual([
      { key: "B", value: 5, previous: 2 },
      { key: "C", value: undefined, previous: 3 },
      { key: "D", value: 4, previous: undefined },
    ])
    expect(changes[0]?.type).toBe("gap")
  })
})

describe("what a snapshot has", () => {
  /** The cursor stands at 5; states and members are complete up to 9. */
  function complete() {
    const { subscription, take } = wanted({ last: 3 })
    subscription.handleMessage(subscribed(5, { top: 9, snapshot: true }))
    const entries = [set(2, "A", 1), join(3, "ada"), { ...set(7, "A", 2) }, join(8, "bob")]
    subscription.handleMessage(snapshot(7, entries.slice(0, 3), false))
    const left = { type: "left", offset: 9, at, member: "ada" } as const
    subscription.handleMessage(snapshot(9, [...entries.slice(3), left]))
    return { subscription, take }
  }

  test("is the last that its parts say of a key", () => {
    const { subscription } = complete()
    expect([...subscription.values("price")]).toEqual([["A", 2]])
    expect([...subscription.members.data.keys()]).toEqual(["bob"])
    expect(subscription.status).toBe("subscribing")
    expect(subscription.position).toEqual(position(5))
  })

  test("is not changed by the entries that it has; events come, and the position moves", () => {
    const { subscription, take } = complete()
    take()
    subscription.handleMessage(event(6))
    subscription.handleMessage(set(7, "A", 2))
    subscription.handleMessage({ type: "delete", alias, offset: 8, at, name: "price", key: "A" })
    subscription.handleMessage({ type: "left", alias, offset: 9, at, member: "bob" })
    expect(subscription.position).toEqual(position(9))
    expect(take().map(({ type }) => type)).toEqual(["event", "status"])
    expect(subscription.status).toBe("live")
    subscription.handleMessage(set(10, "A", 3))
    expect([...subscription.values("price")]).toEqual([["A", 3]])
    expect([...subscription.members.data.keys()]).toEqual(["bob"])
  })

  test("is still known over the next connection", () => {
    const { subscription, take } = complete()
    subscription.handleDown()
    subscription.handleMessage(subscribed(5, { top: 9 }))
    take()
    subscription.handleMessage(set(7, "A", 0))
    expect(take()).toEqual([])
  })

  test("is kept by a gap of events", () => {
    const { subscription, take } = complete()
    subscription.handleMessage({ ...gap(5, 6, false), collections: ["events"] })
    take()
    subscription.handleMessage(set(7, "A", 0))
    expect(take()).toEqual([])
  })

  test("is in the value that the server loaded with it", () => {
    const { subscription, take } = wanted("all")
    subscription.handleMessage(subscribed(0, { top: 4, snapshot: true }))
    subscription.handleMessage({ ...snapshot(4, [set(3, "A", 1)]), loaded: { offset: 6, data: "value" } })
    subscription.handleMessage(event(4))
    subscription.handleMessage(set(6, "A", 2))
    subscription.handleMessage(set(7, "A", 3))
    const changes = take().filter(({ type }) => type === "event" || type === "state" || type === "loaded")
    expect(changes.map(({ type, isLoaded }) => [type, isLoaded])).toEqual([
      ["loaded", undefined],
      ["state", true],
      ["event", true],
      ["state", true],
      ["state", false],
    ])
  })
})

test("a position without an entry moves the cursor, and says nothing", () => {
  const { subscription, take } = live(5)
  subscription.handleMessage({ type: "position", alias, offset: 9 })
  expect(subscription.position).toEqual(position(9))
  expect(take()).toEqual([])
  expect(subscription.stats).toEqual({ delivered: 0, replayed: 0, duplicates: 0, gaps: 0 })
})

describe("a gap", () => {
  test("moves the position at once when no snapshot follows", () => {
    const { subscription, take } = live(5)
    subscription.handleMessage(gap(5, 20, false))
    expect(subscription.position).toEqual(position(20))
    expect(take()).toEqual([
      { type: "gap", told: [{ reason: "trimmed", from: position(5), to: position(20) }] },
    ])
    expect(subscription.stats.gaps).toBe(1)
  })

  test("of some collections moves the position to the next entry that is retained", () => {
    const { subscription, take } = live(5)
    const some = { ...gap(5, 20, false), collections: ["events"], position: position(6) }
    subscription.handleMessage(some)
    expect(subscription.position).toEqual(position(6))
    expect(take()).toEqual([
      {
        type: "gap",
        told: [{ reason: "trimmed", collections: ["events"], from: position(5), to: position(20) }],
      },
    ])
    subscription.handleMessage(set(7, "A", 1))
    expect(subscription.values("price").get("A")).toBe(1)
  })

  test("of what was delivered is not reported, and moves nothing back", () => {
    const { subscription, take } = live(9)
    subscription.handleMessage({ ...gap(5, 8, false), collections: ["events"], position: position(6) })
    expect(subscription.position).toEqual(position(9))
    subscription.handleMessage({ ...gap(5, 12, false), collections: ["events"], position: position(6) })
    expect(subscription.position).toEqual(position(9))
    expect(take().map(({ told }) => told[0])).toMatchObject([{ from: position(9), to: position(12) }])
  })

  test("while another gap's snapshot is on its way takes its place", () => {
    const { subscription, take } = live(5)
    subscription.handleMessage(gap(5, 20, true))
    subscription.handleMessage(snapshot(20, [set(15, "A", 1)], false))
    subscription.handleMessage(gap(20, 40, true))
    subscription.handleMessage(snapshot(40, [set(35, "A", 2)]))
    expect(subscription.position).toEqual(position(40))
    expect(subscription.values("price").get("A")).toBe(2)
    const gaps = take().filter(({ type }) => type === "gap")
    expect(gaps.map(({ told }) => told[0])).toEqual([
      { reason: "trimmed", from: position(5), to: position(40) },
    ])
  })

  test("into a new epoch, on top of one whose snapshot is on its way, begins where that one began", () => {
    const { subscription, take } = live(5)
    subscription.handleMessage(gap(5, 20, true))
    subscription.handleMessage(newEpoch(20, true))
    const to = position(3, "f")
    subscription.handleMessage({ ...gap(0, 3, true), from: position(0, "f"), to, position: to })
    subscription.handleMessage(snapshot(3, []))
    const gaps = take().filter(({ type }) => type === "gap")
    expect(gaps.map(({ told }) => told[0])).toEqual([
      { reason: "new-epoch", from: position(5), to: position(3, "f") },
    ])
  })

  test("into a new epoch: what comes there is live, whatever its offset", () => {
    const { subscription } = live(5, { top: 50 })
    subscription.handleMessage(newEpoch(5))
    subscription.handleMessage(event(1))
    expect(subscription.stats).toMatchObject({ delivered: 1, replayed: 0 })
  })

  test("into a new epoch: members are updated whose data or user is another", () => {
    const { subscription, take } = live(5)
    for (const [offset, member] of [
      [6, "ada"],
      [7, "bob"],
      [8, "cyd"],
      [9, "dan"],
    ] as const)
      subscription.handleMessage({ ...join(offset, member), data: { bytes: Uint8Array.of(1, 2) } })
    subscription.handleMessage(newEpoch(9, true))
    take()
    subscription.handleMessage(
      snapshot(7, [
        { ...join(6, "ada"), data: "other" },
        { ...join(1, "bob"), data: { bytes: Uint8Array.of(1, 2) } },
        { ...join(2, "cyd"), data: { bytes: Uint8Array.of(1, 3) } },
        { ...join(7, "dan"), data: { bytes: Uint8Array.of(1, 2) }, user: "d" },
      ]),
    )
    const updates = take().flatMap((change) => (change.type === "update" ? change.told[0].member : []))
    expect(updates).toEqual(["ada", "cyd", "dan"])
    expect(subscription.members.data.get("ada")).toBe("other")
  })

  test("into a new epoch: smaller offsets are new there", () => {
    const { subscription } = live(50)
    subscription.handleMessage(newEpoch(50))
    subscription.handleMessage(event(1))
    expect(subscription.position).toEqual(position(1, "f"))
    expect(subscription.stats.duplicates).toBe(0)
  })
})

test("a server that resumes lower than asked for repeats nothing to the listeners", () => {
  const { subscription, take } = live(5)
  subscription.handleMessage(event(6))
  subscription.handleDown()
  subscription.handleMessage(subscribed(4, { top: 7 }))
  take()
  for (const offset of [5, 6, 7]) subscription.handleMessage(event(offset))
  expect(take().map(({ told }) => told[0])).toEqual([7, "live"])
})

describe("a refusal", () => {
  const refusal = new HoldfastError("not_allowed", "no")

  test("lasts until it is asked again", () => {
    const { subscription } = live(5)
    subscription.handleUnsubscribed(refusal)
    expect(subscription.status).toBe("refused")
    expect(subscription.error).toBe(refusal)
    subscription.subscribe()
    expect(subscription.status).toBe("subscribing")
    expect(subscription.request()).toEqual({ channel: "c", position: position(5) })
  })

  test("ends with the connection that it was told on", () => {
    const { subscription } = live(5)
    subscription.handleUnsubscribed(refusal)
    subscription.handleDown()
    expect(subscription.status).toBe("subscribing")
  })
})

test("what was closed stays closed", () => {
  const { subscription } = live(5)
  subscription.close()
  subscription.subscribe()
  subscription.handleDown()
  expect(subscription.status).toBe("closed")
})
