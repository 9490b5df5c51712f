import { describe, expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { lines, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const make = (limits = {}, log?: Log) => rig(room, { channels: handlers, limits }, log)
const plain = (r: ReturnType<typeof make>, name = "a") => r.hub.channel("plain/:name", { name })

describe("live delivery", () => {
  it("hands every subscriber the entries in the order of their offsets", async () => {
    const r = make()
    const peers = [r.peer(), r.peer()]
    for (const peer of peers) await peer.hello({ channel: "plain/a" })
    for (let n = 1; n <= 3; n++) await plain(r).publish("tick", n)
    await r.clock.settle()
    for (const peer of peers) {
      expect(peer.all("event").map(({ offset, name, data }) => [offset, name, data])).toEqual([
        [1, "tick", 1],
        [2, "tick", 2],
        [3, "tick", 3],
      ])
    }
  })

  it("writes once per subscriber and turn, and encodes once per message and encoding", async () => {
    const encoding = lines()
    const r = make()
    const peers = [r.peer(encoding), r.peer(encoding), r.peer(encoding)]
    for (const peer of peers) await peer.hello({ channel: "plain/a" })
    const [framesBefore, writesBefore] = [encoding.made(), peers.map((peer) => peer.writes())]
    await Promise.all(Array.from({ length: 16 }, (_, n) => plain(r).publish("tick", n)))
    await r.clock.settle()
    expect(encoding.made() - framesBefore).toBe(16)
    expect(peers.map((peer, index) => peer.writes() - (writesBefore[index] ?? 0))).toEqual([1, 1, 1])
    expect(peers[2]?.all("event")).toHaveLength(16)
  })

  it("flushes early when one turn publishes more than a burst may hold", async () => {
    // a frame of a few bytes counts with what it has around them
    const r = make({ burstBytesMax: 10 * 81 })
    const peer = r.peer()
    await peer.hello({ channel: "plain/a" })
    const before = peer.writes()
    await Promise.all(Array.from({ length: 30 }, (_, n) => plain(r).publish("tick", n)))
    await r.clock.settle()
    expect(peer.writes() - before).toBe(3)
    expect(peer.all("event").map(({ offset }) => offset)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
  })

  it("does not deliver what was published before a fresh subscription, or after it ended", async () => {
    const r = make()
    const peer = r.peer()
    await plain(r).publish("tick", 1)
    await peer.hello({ channel: "plain/a" })
    expect(peer.last("subscribed")).toMatchObject({
      channel: "plain/a",
      position: { epoch: "e1", offset: 1 },
      top: 1,
      snapshot: false,
    })
    await plain(r).publish("tick", 2)
    await r.clock.settle()
    peer.send({ type: "unsubscribe", channel: "plain/a" })
    await plain(r).publish("tick", 3)
    await r.clock.settle()
    expect(peer.all("event").map(({ data }) => data)).toEqual([2])
  })

  it("keeps channels apart", async () => {
    const r = make()
    const peer = r.peer()
    await peer.hello({ channel: "plain/a" }, { channel: "plain/b" })
    await plain(r, "b").publish("tick", 7)
    await r.clock.settle()
    const [, b] = peer.all("subscribed")
    expect(peer.all("event")).toMatchObject([{ alias: b?.alias, offset: 1, data: 7 }])
  })
})

describe("a subscription that starts lower", () => {
  it.each([
    ["all that is retained", "all", [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ["the last few", { last: 2 }, [11, 12]],
  ])("receives %s, then live entries", async (_, history, expected) => {
    const r = make()
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    for (let n = 1; n <= 12; n++) await lobby.publish("said", { text: String(n), by: "server" })
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby", history })
    await lobby.publish("closed", {})
    await r.clock.settle()
    expect(peer.last("subscribed")).toMatchObject({ top: 12, snapshot: true })
    expect(peer.all("event").map(({ offset }) => offset)).toEqual([...expected, 13])
  })
})

describe("a subscriber that comes back with its position", () => {
  it("receives exactly what it missed", async () => {
    const r = make()
    for (let n = 1; n <= 5; n++) await plain(r).publish("tick", n)
    const peer = r.peer()
    await peer.hello({ channel: "plain/a", position: { epoch: "e1", offset: 3 } })
    expect(peer.all("gap")).toEqual([])
    expect(peer.all("event").map(({ offset }) => offset)).toEqual([4, 5])
  })

  it("is live at once, without reading the log, when it missed nothing", async () => {
    const r = make()
    await plain(r).publish("tick", 1)
    const peer = r.peer()
    await peer.hello({ channel: "plain/a", position: { epoch: "e1", offset: 1 } })
    await plain(r).publish("tick", 2)
    await r.clock.settle()
    expect(peer.all("event").map(({ offset }) => offset)).toEqual([2])
  })

  it("recovers though it never received an event", async () => {
    const r = make()
    const first = r.peer()
    await first.hello({ channel: "plain/a" })
    const { position } = first.last("subscribed")
    first.cut()
    await plain(r).publish("tick", 1)
    const second = r.peer()
    await second.hello({ channel: "plain/a", position })
    expect(second.all("event").map(({ offset }) => offset)).toEqual([1])
  })

  const retained = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15]

  it("gets a gap of the events that were trimmed, and no snapshot", async () => {
    const r = make()
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    await lobby.set("topic", "x", "kept")
    for (let n = 2; n <= 15; n++) await lobby.publish("said", { text: String(n), by: "server" })
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby", position: { epoch: "e1", offset: 1 } })
    expect(peer.all("gap")).toMatchObject([
      { reason: "trimmed", collections: ["events"], from: { offset: 1 }, to: { offset: 5 }, snapshot: false },
    ])
    expect(peer.all("snapshot")).toEqual([])
    expect(peer.all("event").map(({ offset }) => offset)).toEqual(retained)
  })

  it.each([
    [
      "new-epoch",
      { epoch: "e0", offset: 9 },
      [
        { reason: "new-epoch", to: { epoch: "e1", offset: 0 }, snapshot: true },
        { reason: "trimmed", collections: ["events"], to: { epoch: "e1", offset: 5 }, snapshot: false },
      ],
      retained,
    ],
    [
      "unknown-position",
      { epoch: "e1", offset: 99 },
      [{ reason: "unknown-position", to: { epoch: "e1", offset: 15 }, snapshot: true }],
      [],
    ],
  ])("gets a gap of all collections, then a snapshot: %s", async (_, from, gaps, expected) => {
    const r = make()
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    for (let n = 1; n <= 15; n++) await lobby.publish("said", { text: String(n), by: "server" })
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby", position: from })
    expect(peer.all("gap")).toMatchObject(gaps)
    expect(peer.all("gap")[0]).toMatchObject({ from })
    expect(peer.all("event").map(({ offset }) => offset)).toEqual(expected)
    const [gap, snapshot, event] = [peer.all("gap")[0], peer.last("snapshot"), peer.all("event")[0]]
    const order = [gap, snapshot, event].map((message) =>
      message === undefined ? Infinity : peer.received.indexOf(message),
    )
    expect(order).toEqual([...order].sort((a, b) => a - b))
  })

  it("gets a gap and a snapshot of states whose removals were forgotten, and all events", async () => {
    const r = make({}, memoryLog({ epoch: "e1", tombstonesPerCollectionMax: 0 }))
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    for (const key of ["x", "y", "z"]) await lobby.set("topic", key, key)
    for (let n = 4; n <= 6; n++) await lobby.publish("said", { text: String(n), by: "server" })
    for (const key of ["x", "y"]) await lobby.delete("topic", key)
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby", position: { epoch: "e1", offset: 4 } })
    expect(peer.all("gap")).toMatchObject([
      {
        reason: "trimmed",
        collections: ["state/topic"],
        from: { offset: 4 },
        to: { offset: 7 },
        snapshot: true,
      },
    ])
    expect(peer.last("snapshot")).toMatchObject({ offset: 8, last: true, entries: [{ key: "z" }] })
    expect(peer.all("event").map(({ offset }) => offset)).toEqual([5, 6])
  })

  it("gets no gap for what its last snapshot had", async () => {
    const r = make({}, memoryLog({ epoch: "e1", tombstonesPerCollectionMax: 0 }))
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    for (const key of ["x", "y", "z"]) await lobby.set("topic", key, key)
    for (const key of ["x", "y"]) await lobby.delete("topic", key)
    const [told, untold] = [r.peer(), r.peer()]
    const position = { epoch: "e1", offset: 1 }
    await untold.hello({ channel: "room/lobby", position })
    await told.hello({ channel: "room/lobby", position, snapshotOffset: 5 })
    expect(untold.all("gap")).toHaveLength(1)
    expect(told.all("gap")).toEqual([])
  })
})

describe("a subscriber that does not keep up", () => {
  it("is not written to while its link is full, and reads on from the log when it has drained", async () => {
    const r = make()
    const [slow, quick] = [r.peer(), r.peer()]
    await slow.hello({ channel: "plain/a" })
    await quick.hello({ channel: "plain/a" })
    slow.block()
    for (let n = 1; n <= 100; n++) {
      await plain(r).publish("tick", n)
      await r.clock.settle()
    }
    expect(slow.all("event").map(({ offset }) => offset)).toEqual([1])
    expect(quick.all("event")).toHaveLength(100)
    slow.drain()
    await r.clock.settle()
    expect(slow.all("event").map(({ offset }) => offset)).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    )
    await plain(r).publish("tick", 101)
    await r.clock.settle()
    expect(slow.last("event").offset).toBe(101)
    expect(slow.all("gap")).toEqual([])
  })

  it("is told of a gap when the log trimmed what it missed", async () => {
    const r = make()
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    const slow = r.peer()
    await slow.hello({ channel: "room/lobby" })
    slow.block()
    for (let n = 1; n <= 30; n++) {
      await lobby.publish("said", { text: String(n), by: "server" })
      await r.clock.settle()
    }
    slow.drain()
    await r.clock.settle()
    expect(slow.last("gap")).toMatchObject({ reason: "trimmed", from: { offset: 1 }, to: { offset: 20 } })
    expect(slow.all("event").map(({ offset }) => offset)).toEqual([1, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30])
  })

  it("receives only the latest value of each key", async () => {
    const r = make()
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    const slow = r.peer()
    await slow.hello({ channel: "room/lobby" })
    slow.block()
    await lobby.set("topic", "x", "first")
    await r.clock.settle()
    for (let n = 0; n < 50; n++) {
      await lobby.set("topic", n % 2 === 0 ? "x" : "y", String(n))
      await r.clock.settle()
    }
    slow.drain()
    await r.clock.settle()
    expect(slow.all("set").map(({ key, data }) => [key, data])).toEqual([
      ["x", "first"],
      ["x", "48"],
      ["y", "49"],
    ])
  })

  it("shares the encodings of what many catch up on", async () => {
    const encoding = lines()
    const r = make()
    for (let n = 1; n <= 50; n++) await plain(r).publish("tick", n)
    const peers = Array.from({ length: 20 }, () => r.peer(encoding))
    const before = encoding.made()
    for (const peer of peers) await peer.hello({ channel: "plain/a", position: { epoch: "e1", offset: 0 } })
    const answers = 2 * peers.length
    expect(encoding.made() - before).toBe(50 + answers)
    for (const peer of peers) expect(peer.all("event")).toHaveLength(50)
  })
})

describe("a snapshot", () => {
  it("is the fold at the position where delivery starts, in parts", async () => {
    const r = make({ pageEntriesMax: 3 })
    const lobby = r.hub.channel("room/:room", { room: "lobby" })
    for (let n = 0; n < 8; n++) await lobby.set("topic", `k${n}`, String(n))
    await lobby.delete("topic", "k3")
    await lobby.set("topic", "k0", "again")
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby" })
    const parts = peer.all("snapshot")
    expect(parts.map(({ last }) => last)).toEqual([false, false, true])
    expect(parts.at(-1)?.offset).toBe(10)
    const values = parts.flatMap(({ entries }) =>
      entries.map((entry) => ("key" in entry && "data" in entry ? [entry.key, entry.data] : [])),
    )
    expect(Object.fromEntries(values)).toEqual({
      k0: "again",
      k1: "1",
      k2: "2",
      k4: "4",
      k5: "5",
      k6: "6",
      k7: "7",
    })
  })
})

describe("a snapshot that the server loads", () => {
  const counter = contract({
    "counter/:name": channel({ snapshot: z.number(), events: { added: z.number() } }),
  })

  it("comes with the offset that was noted before the load, and exactly the entries behind it follow", async () => {
    let total = 0
    const finish: (() => void)[] = []
    const r = rig(counter, {
      channels: {
        "counter/:name": {
          subscribe: true,
          snapshot: () => new Promise<number>((resolve) => finish.push(() => resolve(total))),
        },
      },
    })
    const add = async (n: number) => {
      total += n
      await r.hub.channel("counter/:name", { name: "a" }).publish("added", n)
    }
    await add(1)
    const [one, two] = [r.peer(), r.peer()]
    await one.hello({ channel: "counter/a" })
    await add(2)
    await two.hello({ channel: "counter/a" })
    expect(finish).toHaveLength(2)
    for (const each of finish) each()
    await r.clock.settle()
    await add(4)
    await r.clock.settle()
    expect(one.last("snapshot")).toMatchObject({ offset: 1, last: true, loaded: { offset: 1, data: 3 } })
    expect(one.all("event").map(({ offset }) => offset)).toEqual([2, 3])
    expect(two.last("snapshot")).toMatchObject({ offset: 2, last: true, loaded: { offset: 2, data: 3 } })
    expect(two.all("event").map(({ offset }) => offset)).toEqual([3])
  })

  it("is loaded once for those who ask meanwhile, and again when the loader failed", async () => {
    let loads = 0
    const r = rig(counter, {
      channels: {
        "counter/:name": {
          subscribe: true,
          snapshot: async () => {
            if (++loads === 1) throw new Error("the database sleeps")
            return 7
          },
        },
      },
    })
    const peers = [r.peer(), r.peer()]
    for (const peer of peers)
      peer.send({
        type: "hello",
        session: "session-0123456789abcdef",
        subscriptions: [{ channel: "counter/a" }],
      })
    await r.clock.settle()
    expect(loads).toBe(1)
    expect(r.problems).not.toEqual([])
    await r.clock.advance(1_000)
    for (const peer of peers) expect(peer.last("snapshot").loaded).toEqual({ offset: 0, data: 7 })
  })

  it("is not shared between lives of the log", async () => {
    let log = memoryLog({ epoch: "e1" })
    const r = rig(
      counter,
      {
        channels: {
          "counter/:name": {
            subscribe: true,
            snapshot: () => new Promise<number>((resolve) => finish.push(() => resolve(finish.length))),
          },
        },
      },
      {
        append: (...args) => log.append(...args),
        head: (...args) => log.head(...args),
        read: (...args) => log.read(...args),
        readBack: (...args) => log.readBack(...args),
        find: (...args) => log.find(...args),
        offsetOfLast: (...args) => log.offsetOfLast(...args),
        watch: (...args) => log.watch(...args),
        trim: (...args) => log.trim(...args),
        close: () => log.close(),
      },
    )
    const finish: (() => void)[] = []
    const a = r.hub.channel("counter/:name", { name: "a" })
    for (let n = 0; n < 9; n++) await a.publish("added", n)
    const [early, late] = [r.peer(), r.peer()]
    await early.hello({ channel: "counter/a" })
    log = memoryLog({ epoch: "e2" })
    for (let n = 0; n < 3; n++) await a.publish("added", n)
    await late.hello({ channel: "counter/a", history: "all" })
    for (let each = finish.shift(); each !== undefined; each = finish.shift()) {
      each()
      await r.clock.settle()
    }
    expect(late.last("snapshot")).toMatchObject({ offset: 3, loaded: { offset: 3 } })
    expect(late.all("event").map((event) => event.offset)).toEqual([1, 2, 3])
  })

  it("is asked for when the hub is made", () => {
    expect(() => rig(counter, { channels: { "counter/:name": { subscribe: true } } })).toThrow(
      /needs a loader/,
    )
  })
})
