import { HoldfastError } from "holdfast/client"
import { describe, expect, test } from "vitest"
import { rig } from "./rig.ts"

const lobby = { room: "lobby" }

describe("a client of a hub", () => {
  test("receives what another publishes, in order", async () => {
    const { clock, client } = rig()
    const [ada, bob] = [client("ada"), client("bob")]
    const heard: unknown[] = []
    bob.channel("room/:room", lobby).on("said", ({ text }, { replayed }) => heard.push([text, replayed]))
    await clock.advance(100)
    const room = ada.channel("room/:room", lobby)
    const published = Promise.all(["one", "two", "three"].map((text) => room.publish("said", { text })))
    await clock.advance(100)
    expect((await published).map(({ offset }) => offset)).toEqual([1, 2, 3])
    expect(heard).toEqual([
      ["one", false],
      ["two", false],
      ["three", false],
    ])
  })

  test("publishes what it was given before it was connected", async () => {
    const { clock, client, hub } = rig()
    const room = client("ada").channel("room/:room", lobby)
    const published = room.publish("said", { text: "early" })
    await clock.advance(100)
    await expect(published).resolves.toMatchObject({ offset: 1 })
    expect(await hub.channel("room/:room", lobby).history({ last: 1 })).toMatchObject([
      { data: { text: "early" } },
    ])
  })

  test("replays as much history as it asks for", async () => {
    const { clock, client, hub } = rig()
    const server = hub.channel("room/:room", lobby)
    for (const text of ["one", "two", "three"]) await server.publish("said", { text })
    const heard: unknown[] = []
    client("ada")
      .channel("room/:room", lobby, { history: { last: 2 } })
      .on("said", ({ text }, { replayed }) => heard.push([text, replayed]))
    await clock.advance(100)
    await server.publish("said", { text: "four" })
    await clock.advance(100)
    expect(heard).toEqual([
      ["two", true],
      ["three", true],
      ["four", false],
    ])
  })

  test("takes the answer to a subscription that it has closed since for no other's", async () => {
    const { clock, client, hub } = rig()
    const server = hub.channel("room/:room", lobby)
    const ada = client("ada")
    await clock.advance(100)
    ada.channel("room/:room", lobby).subscribe()
    ada.channel("room/:room", lobby).close()
    await server.publish("said", { text: "before" })
    const room = ada.channel("room/:room", lobby)
    const positions: unknown[] = []
    room.onStatus((status) => positions.push([status, room.position?.offset]))
    room.subscribe()
    await clock.advance(100)
    expect(positions).toEqual([
      ["subscribing", undefined],
      ["live", 1],
    ])
  })

  test("has a state as a snapshot, then its changes", async () => {
    const { clock, client, hub } = rig()
    const server = hub.channel("room/:room", lobby)
    await server.set("price", "A", 1)
    await server.set("price", "B", 2)
    const room = client("ada").channel("room/:room", lobby)
    const price = room.state("price")
    const changes: unknown[] = []
    price.onChange((change) => changes.push(change))
    await clock.advance(100)
    expect([...price.entries()]).toEqual([
      ["A", 1],
      ["B", 2],
    ])
    void price.set("A", 3)
    void price.delete("B")
    await clock.advance(100)
    expect([...price.entries()]).toEqual([["A", 3]])
    expect(changes).toEqual([
      { key: "A", value: 1, previous: undefined },
      { key: "B", value: 2, previous: undefined },
      { key: "A", value: 3, previous: 1 },
      { key: "B", value: undefined, previous: 2 },
    ])
  })

  test("is present under the same name over a reconnect, and gone after its end", async () => {
    const { clock, client, lineOf } = rig()
    const [ada, bob] = [client("ada"), client("bob")]
    const seen: string[][] = []
    bob
      .channel("room/:room", lobby)
      .presence.onChange((members) => seen.push([...members.values()].map(({ name }) => name)))
    await clock.advance(100)
    const entered = ada.channel("room/:room", lobby).presence.enter({ name: "Ada" })
    await clock.advance(100)
    await entered
    expect(seen.at(-1)).toEqual(["Ada"])
    expect([...bob.channel("room/:room", lobby).presence.members.keys()]).toEqual([ada.member])

    const told = seen.length
    lineOf("ada")?.cut()
    await clock.advance(60_000)
    expect(seen.slice(told)).toEqual([])

    ada.close()
    await clock.advance(100)
    expect(seen.at(-1)).toEqual([])
  })

  test("leaves presence when its channel is closed", async () => {
    const { clock, client, hub } = rig()
    const room = client("ada").channel("room/:room", lobby)
    const entered = room.presence.enter({ name: "Ada" })
    await clock.advance(100)
    await entered
    expect((await hub.channel("room/:room", lobby).members()).size).toBe(1)
    room.close()
    await clock.advance(100)
    expect((await hub.channel("room/:room", lobby).members()).size).toBe(0)
  })

  test("hears the signals of others, not its own", async () => {
    const { clock, client } = rig()
    const [ada, bob] = [client("ada"), client("bob")]
    const heard: unknown[] = []
    for (const each of [ada, bob]) {
      each
        .channel("room/:room", lobby)
        .onSignal("typing", (_, { from }) => heard.push([each === ada ? "ada" : "bob", from]))
    }
    await clock.advance(100)
    ada.channel("room/:room", lobby).signal("typing", {})
    await clock.advance(100)
    expect(heard).toEqual([["bob", ada.member]])
  })

  test("calls, and is answered with a result, a declared error, or a refusal of the input", async () => {
    const { clock, client } = rig()
    const room = client("ada").channel("room/:room", lobby)
    const outcomes = Promise.allSettled([
      room.call("double", 21),
      room.call("double", 1_000),
      room.call("double", "x" as never),
      room.call("never", null, { timeoutMs: 500 }),
    ])
    await clock.advance(1_000)
    expect(await outcomes).toMatchObject([
      { status: "fulfilled", value: 42 },
      { reason: { code: "too_large", data: { max: 100 } } },
      { reason: { code: "invalid_payload" } },
      { reason: { code: "timeout" } },
    ])
  })

  test("is told that it may not subscribe, and may not publish", async () => {
    const { clock, client } = rig()
    const room = client("ada").channel("secret/:name", { name: "x" })
    const errors: string[] = []
    room.onError(({ code }) => errors.push(code))
    const outcomes = Promise.allSettled([room.ready(), room.publish("said", "psst")])
    await clock.advance(100)
    expect(await outcomes).toMatchObject([
      { reason: { code: "not_allowed" } },
      { reason: { code: "not_allowed" } },
    ])
    expect(errors).toEqual(["not_allowed"])
    expect(room.status).toBe("refused")
  })
})

describe("when the line is cut", () => {
  test("everything published meanwhile arrives, once and in order", async () => {
    const { clock, client, hub, lineOf } = rig()
    const server = hub.channel("room/:room", lobby)
    const heard: number[] = []
    const room = client("ada").channel("room/:room", lobby)
    room.on("moved", (step) => heard.push(step))
    await clock.advance(100)
    await server.publish("moved", 1)
    await clock.advance(100)
    lineOf("ada")?.cut()
    await server.publish("moved", 2)
    await server.publish("moved", 3)
    await clock.advance(60_000)
    await server.publish("moved", 4)
    await clock.advance(100)
    expect(heard).toEqual([1, 2, 3, 4])
    expect(room.stats).toEqual({ delivered: 4, replayed: 2, duplicates: 0, gaps: 0 })
  })

  test("twice in a row, also before anything was received, nothing is missing", async () => {
    const { clock, client, hub, lineOf } = rig()
    const server = hub.channel("room/:room", lobby)
    const heard: number[] = []
    const ada = client("ada")
    ada.channel("room/:room", lobby).on("moved", (step) => heard.push(step))
    await clock.advance(100)
    for (let step = 1; step <= 20; step++) {
      await server.publish("moved", step)
      if (step % 5 === 0) {
        lineOf("ada")?.cut()
        await clock.until(() => lineOf("ada") !== undefined)
        lineOf("ada")?.cut()
      }
      await clock.advance(step * 7)
    }
    await clock.advance(60_000)
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test("longer than the log retains, a gap says what is missing, and the state is whole again", async () => {
    const { clock, client, hub, lineOf, network } = rig()
    const server = hub.channel("room/:room", lobby)
    const told: unknown[] = []
    const room = client("ada").channel("room/:room", lobby)
    room.on("moved", (step) => told.push(step))
    room.onGap(({ reason, from, to }) => told.push([reason, from.offset, to.offset]))
    await server.set("price", "A", 1)
    await clock.advance(100)
    await server.publish("moved", 1)
    await clock.advance(100)
    const host = { connect: hub.connect }
    network.fail("hub")
    for (let step = 2; step <= 60; step++) await server.publish("moved", step)
    await server.set("price", "A", 2)
    network.serve("hub", host)
    await clock.until(() => lineOf("ada") !== undefined)
    await clock.advance(1_000)
    expect(told.slice(0, 3)).toEqual([1, ["trimmed", 2, 11], 11])
    expect(told.at(-1)).toBe(60)
    expect(told).toHaveLength(2 + 50)
    expect(room.state("price").get("A")).toBe(2)
  })

  test("a publish in flight is in the log once, in its place", async () => {
    const { clock, client, hub, lineOf } = rig()
    const ada = client("ada")
    const room = ada.channel("room/:room", lobby)
    await clock.advance(100)
    const published: Promise<unknown>[] = []
    for (let step = 0; step < 30; step++) {
      published.push(room.publish("moved", step))
      // at every stage of the way there and back
      await clock.advance((step % 4) * 0.7)
      if (step % 3 === 0) lineOf("ada")?.cut()
    }
    await clock.advance(120_000)
    await Promise.all(published)
    const history = await hub.channel("room/:room", lobby).history({ last: 100 })
    expect(history.map(({ data }) => data)).toEqual(Array.from({ length: 30 }, (_, step) => step))
  })

  test("for longer than the hub knows keys again, a publish in flight is in doubt; one that never left goes out", async () => {
    const { clock, client, hub, network } = rig({ limits: { idempotencyWindowMs: 60_000 } })
    const room = client("ada").channel("room/:room", lobby)
    await clock.advance(100)
    const sent = room.publish("moved", 1)
    await clock.advance(1.5)
    network.fail("hub")
    const offline = room.publish("moved", 2)
    const outcomes = Promise.allSettled([sent, offline])
    await clock.advance(55_000)
    network.serve("hub", { connect: hub.connect })
    await clock.advance(30_000)
    expect(await outcomes).toMatchObject([{ reason: { code: "in_doubt" } }, { value: { offset: 2 } }])
    const history = await hub.channel("room/:room", lobby).history({ last: 10 })
    expect(history.map(({ data }) => data)).toEqual([1, 2])
  })

  test("a call in flight is rejected, never repeated; one made offline waits", async () => {
    const { clock, client, lineOf, calls } = rig()
    const room = client("ada").channel("room/:room", lobby)
    await clock.advance(100)
    const inFlight = room.call("double", 1)
    await clock.advance(1.5)
    lineOf("ada")?.cut()
    const offline = room.call("double", 2)
    await expect(inFlight).rejects.toMatchObject({ code: "connection_lost" })
    await clock.advance(5_000)
    await expect(offline).resolves.toBe(4)
    expect(calls).toEqual(["double 1", "double 2"])
  })

  test("silently, the client notices by the missing heartbeat and comes back", async () => {
    const { clock, client, hub, lineOf } = rig({ limits: { heartbeatMs: 1_000 } })
    const heard: number[] = []
    const ada = client("ada")
    ada.channel("room/:room", lobby).on("moved", (step) => heard.push(step))
    await clock.advance(100)
    lineOf("ada")?.blackHole()
    await hub.channel("room/:room", lobby).publish("moved", 1)
    await clock.advance(1_000)
    expect(ada.status).toBe("open")
    await clock.advance(3_000)
    expect(ada.status).toBe("open")
    expect(heard).toEqual([1])
  })
})

describe("when the hub sends its clients away", () => {
  test("for a moment, they come back and miss nothing", async () => {
    const { clock, client, hub } = rig()
    const heard: number[] = []
    const ada = client("ada")
    ada.channel("room/:room", lobby).on("moved", (step) => heard.push(step))
    await clock.advance(100)
    hub.disconnectAll({ reason: "deploy", reconnect: true, spreadMs: 5_000 })
    await clock.advance(10)
    await hub.channel("room/:room", lobby).publish("moved", 1)
    await clock.advance(30_000)
    expect(ada.status).toBe("open")
    expect(heard).toEqual([1])
  })

  test("for good, everything that waits is told", async () => {
    const { clock, client, hub } = rig()
    const ada = client("ada")
    const room = ada.channel("room/:room", lobby)
    await clock.advance(100)
    const waiting = Promise.allSettled([room.call("never", null), room.publish("said", { text: "late" })])
    for (const each of hub.connections()) each.close("banned")
    await clock.advance(1_000)
    expect(ada.status).toBe("closed")
    expect(await waiting).toMatchObject([
      { reason: expect.any(HoldfastError) },
      { reason: { code: "closed" } },
    ])
    await expect(room.publish("said", { text: "too late" })).rejects.toMatchObject({ code: "closed" })
  })
})

describe("tokens", () => {
  test("are renewed before they expire, and the connection stays", async () => {
    const shown: (string | undefined)[] = []
    const { clock, client } = rig({
      authenticate: ({ token }) => {
        shown.push(token)
        return { expiresAt: clock.now() + 60_000 }
      },
    })
    let count = 0
    const statuses: string[] = []
    const ada = client("ada", { token: async () => `t${++count}` })
    ada.on("status", (status) => statuses.push(status))
    await clock.advance(200_000)
    expect(shown).toEqual(["t1", "t2", "t3", "t4", "t5"])
    expect(statuses).toEqual(["open"])
  })

  test("that are refused are replaced, with a growing pause in between", async () => {
    const { clock, client } = rig({
      authenticate: ({ token }) => {
        if (token !== "t3") throw new Error("unknown token")
        return { id: "ada" }
      },
    })
    let count = 0
    const errors: unknown[] = []
    const ada = client("ada", { token: () => `t${++count}` })
    ada.on("error", (error) => errors.push((error as HoldfastError).code))
    await clock.advance(5_000)
    expect(ada.status).toBe("open")
    expect(errors).toEqual(["unauthorized", "unauthorized"])
  })
})
