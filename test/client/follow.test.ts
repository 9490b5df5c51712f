import { channel, contract } from "holdfast"
import type { ConnectOptions } from "holdfast/client"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { seeded } from "../../src/testing/seeded.ts"
import { testWorld } from "../../src/testing/world.ts"

const Item = z.object({ id: z.number() })
const app = contract({
  "board/:id": channel({
    events: { added: Item },
    state: { note: z.number() },
    snapshot: z.array(z.number()),
    keep: { events: 20 },
  }),
  "list/:id": channel({ events: { added: Item }, state: { note: z.number() }, keep: { events: 20 } }),
})

const one = { id: "1" }

/** A hub whose board is loaded from a database: an array, to which an item is added before it is published. */
function rig() {
  const database: number[] = []
  let loads = 0
  /** While it is there, loads wait for it after they have read the database. */
  let gate: Promise<void> | undefined
  let open: () => void = () => undefined
  const world = testWorld(app, {
    channels: {
      "board/:id": {
        subscribe: true,
        snapshot: async () => {
          loads++
          const rows = [...database]
          await gate
          return rows
        },
      },
      "list/:id": { subscribe: true },
    },
    // several parts to a snapshot
    limits: { pageEntriesMax: 4 },
  })
  const { hub, clock, network } = world
  const add = async (id: number) => {
    database.push(id)
    await hub.channel("board/:id", one).publish("added", { id })
  }
  return {
    ...world,
    database,
    add,
    loads: () => loads,
    holdLoads: () => {
      gate = new Promise((resolve) => {
        open = resolve
      })
    },
    releaseLoads: () => {
      gate = undefined
      open()
    },
    board: (name: string, options: ConnectOptions = {}) =>
      world.connect({ name, ...options }).channel("board/:id", one),
    cut: (name: string) =>
      network
        .lines()
        .find((line) => line.client === name && line.isOpen())
        ?.cut(),
    settle: () => clock.advance(30_000),
  }
}

const append = (
  value: readonly number[],
  entry: { readonly type: string; readonly data?: { id: number } },
) => (entry.data === undefined ? [...value] : [...value, entry.data.id])

describe("a follower of what the server loads", () => {
  test("has the loaded value and what was published since, once, whenever it began", async () => {
    const { board, add, settle, database } = rig()
    for (const id of [1, 2, 3]) await add(id)
    const room = board("ada")
    const followed = room.follow({ reduce: append })
    const seen: unknown[] = []
    followed.onChange((value) => seen.push(value))
    expect(followed.value).toBeUndefined()
    await settle()
    expect(followed.value).toEqual([1, 2, 3])
    await add(4)
    await settle()
    expect(followed.value).toEqual(database)
    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4],
    ])
  })

  test("is not given the history that the loaded value holds; listeners are", async () => {
    const { connect, add, settle, database } = rig()
    for (const id of [1, 2, 3]) await add(id)
    const room = connect().channel("board/:id", one, { history: "all" })
    const heard: unknown[] = []
    room.on("added", ({ id }) => heard.push([id, followed.value]))
    const followed = room.follow({ reduce: append })
    await settle()
    await add(4)
    await settle()
    expect(followed.value).toEqual(database)
    // the follower is ahead of every listener, also of those that were there before it
    expect(heard).toEqual([
      [1, [1, 2, 3]],
      [2, [1, 2, 3]],
      [3, [1, 2, 3]],
      [4, [1, 2, 3, 4]],
    ])
  })

  test("has what is published while the server loads", async () => {
    const { board, add, settle, holdLoads, releaseLoads, database } = rig()
    await add(1)
    holdLoads()
    const followed = board("ada").follow({ reduce: append })
    await settle()
    await add(2)
    await add(3)
    await settle()
    expect(followed.value).toBeUndefined()
    releaseLoads()
    await settle()
    expect(followed.value).toEqual(database)
  })

  test("begins anew when the line is cut while the server loads", async () => {
    const { board, add, cut, settle, holdLoads, releaseLoads, database } = rig()
    await add(1)
    holdLoads()
    const followed = board("ada").follow({ reduce: append })
    await settle()
    cut("ada")
    await add(2)
    releaseLoads()
    await settle()
    await add(3)
    await settle()
    expect(followed.value).toEqual(database)
  })

  test("begins anew when the line is cut between the parts of the snapshot", async () => {
    const { board, hub, add, clock, cut, settle, database } = rig()
    for (let key = 0; key < 30; key++) await hub.channel("board/:id", one).set("note", `${key}`, key)
    await add(1)
    const room = board("ada")
    const followed = room.follow({ reduce: append })
    const seen: unknown[] = []
    followed.onChange((value) => seen.push(value))
    for (let step = 0; step < 12; step++) {
      await clock.advance(1)
      cut("ada")
      await add(step + 2)
      await clock.advance(step * 30)
    }
    await settle()
    expect(followed.value).toEqual(database)
    for (const value of seen) expect(database.slice(0, (value as number[]).length)).toEqual(value)
  })

  test("goes on over a cut line without another load", async () => {
    const { board, add, cut, settle, loads, database } = rig()
    const followed = board("ada").follow({ reduce: append })
    await settle()
    for (let id = 1; id <= 10; id++) {
      await add(id)
      if (id % 3 === 0) cut("ada")
      if (id % 4 === 0) await settle()
    }
    await settle()
    expect(followed.value).toEqual(database)
    expect(loads()).toBe(1)
  })

  test("has another loaded value after a gap, before the gap is told", async () => {
    const { board, add, network, hub, settle, loads, database } = rig()
    const room = board("ada")
    const followed = room.follow({ reduce: append })
    const gaps: unknown[] = []
    room.onGap(() => gaps.push([...(followed.value ?? [])]))
    await settle()
    await add(1)
    await settle()
    network.fail("hub")
    for (let id = 2; id <= 60; id++) await add(id)
    network.serve("hub", hub)
    await settle()
    expect(followed.value).toEqual(database)
    expect(gaps).toEqual([database])
    expect(loads()).toBe(2)
    await add(61)
    await settle()
    expect(followed.value).toEqual(database)
  })

  test("may come late, and beside others: each has the fold, and no listener hears anything twice", async () => {
    const { board, add, settle, loads, database, hub } = rig()
    const room = board("ada")
    const heard: number[] = []
    room.on("added", ({ id }) => heard.push(id))
    const first = room.follow({ reduce: append })
    await settle()
    await add(1)
    await add(2)
    await settle()
    const notes: unknown[] = []
    await hub.channel("board/:id", one).set("note", "a", 1)
    await settle()
    room.state("note").onChange((change) => notes.push(change))
    const late = room.follow({
      load: (rows) => new Set(rows),
      reduce: (value, entry) => (entry.type === "event" ? new Set([...value, entry.data.id]) : value),
    })
    await add(3)
    expect(room.status).toBe("subscribing")
    const ready = room.ready()
    await settle()
    await ready
    await add(4)
    await settle()
    expect(first.value).toEqual(database)
    expect([...(late.value ?? [])]).toEqual(database)
    expect(heard).toEqual([1, 2, 3, 4])
    expect(notes).toEqual([])
    expect(loads()).toBe(2)
  })

  test("that comes while the line is down is served with the next", async () => {
    const { board, add, cut, settle, database } = rig()
    const room = board("ada")
    room.on("added", () => undefined)
    await settle()
    await add(1)
    await settle()
    cut("ada")
    const followed = room.follow({ reduce: append })
    await add(2)
    await settle()
    await add(3)
    await settle()
    expect(followed.value).toEqual(database)
  })

  test("whose reduce throws keeps its value, and the client tells the error", async () => {
    const { connect, add, settle } = rig()
    const client = connect()
    const errors: unknown[] = []
    client.on("error", (error) => errors.push((error as Error).message))
    const followed = client.channel("board/:id", one).follow({
      reduce: (value, entry) => {
        if (entry.type === "event" && entry.data.id === 2) throw new Error("mine")
        return append(value, entry)
      },
    })
    await settle()
    for (const id of [1, 2, 3]) await add(id)
    await settle()
    expect(followed.value).toEqual([1, 3])
    expect(errors).toEqual(["mine"])
  })

  test("stops when it is closed, and with its channel", async () => {
    const { board, add, settle } = rig()
    const room = board("ada")
    const [closed, left] = [room.follow({ reduce: append }), room.follow({ reduce: append })]
    await settle()
    await add(1)
    await settle()
    closed.close()
    await add(2)
    await settle()
    room.close()
    await add(3)
    await settle()
    expect(closed.value).toEqual([1])
    expect(left.value).toEqual([1, 2])
    expect(() => room.follow({ reduce: append })).toThrow(expect.objectContaining({ code: "closed" }))
  })
})

describe("a follower of what it begins with itself", () => {
  test("folds events and the changes of states, from as far back as the channel goes", async () => {
    const { connect, hub, settle } = rig()
    const server = hub.channel("list/:id", one)
    await server.publish("added", { id: 1 })
    await server.set("note", "a", 7)
    const followed = connect()
      .channel("list/:id", one, { history: "all" })
      .follow({
        initial: [] as string[],
        reduce: (lines, entry) => [
          ...lines,
          entry.type === "event" ? `${entry.name} ${entry.data.id}` : `${entry.key} ${entry.value}`,
        ],
      })
    expect(followed.value).toEqual([])
    await settle()
    await server.delete("note", "a")
    await server.publish("added", { id: 2 })
    await settle()
    expect(followed.value).toEqual(["a 7", "added 1", "a undefined", "added 2"])
  })
})

test.each(Array.from({ length: 30 }, (_, seed) => seed))(
  "whatever happens to the lines and however slow the loads are, the value is the fold: seed %i",
  async (seed) => {
    const chance = seeded(seed)
    const { board, add, clock, network, cut, settle, holdLoads, releaseLoads, hub, database } = rig()
    network.conditions.latencyMs = () => chance.between(0, 30)
    for (let key = 0; key < 9; key++) await hub.channel("board/:id", one).set("note", `${key}`, key)
    const room = board("ada", { backoff: { minMs: 20, maxMs: 200 } })
    const followers = [room.follow({ reduce: append })]
    for (let step = 1; step <= 60; step++) {
      const what = chance.random()
      if (what < 0.5) await add(step)
      else if (what < 0.6) await hub.channel("board/:id", one).set("note", `${chance.between(0, 9)}`, step)
      else if (what < 0.75) cut("ada")
      else if (what < 0.8) holdLoads()
      else if (what < 0.9) releaseLoads()
      else if (followers.length < 4) followers.push(room.follow({ reduce: append }))
      await clock.advance(chance.between(0, 40))
      for (const { value } of followers) {
        if (value !== undefined) expect(database.slice(0, value.length)).toEqual(value)
      }
    }
    releaseLoads()
    await settle()
    for (const { value } of followers) expect(value).toEqual(database)
  },
)
