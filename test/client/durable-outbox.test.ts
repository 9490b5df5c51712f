import type { OutboxStore } from "holdfast/client"
import { describe, expect, test } from "vitest"
import { HoldfastError } from "../../src/protocol/error.ts"
import { json } from "../../src/protocol/json.ts"
import { fakeServer } from "./fake-line.ts"

const lobby = { room: "lobby" }

/** What stays when a page goes, and a store on it for each page. Everything is kept at once. */
function storage() {
  let session: string | undefined
  let entries: { message: object; sentAtMs: number | undefined }[] = []
  const page = (): OutboxStore & { readonly left: () => void } => {
    const mine = new Map<number, { message: object; sentAtMs: number | undefined }>()
    let here = true
    const save = () => {
      if (here) entries = [...mine.values()]
    }
    return {
      open: async (ports) => {
        session ??= ports.session
        for (const { message, sentAtMs } of [...entries]) ports.restore(message, sentAtMs)
        return session
      },
      put: (id, wire, sentAtMs) => {
        const { id: _, ...message } = json.decode(wire as string) as { id: number }
        mine.set(id, { message, sentAtMs })
        save()
      },
      remove: (id) => {
        mine.delete(id)
        save()
      },
      flush: (send) => send(),
      close: () => undefined,
      left: () => {
        here = false
      },
    }
  }
  return { page, kept: () => entries.map(({ message }) => (message as { data: unknown }).data) }
}

function opened(store: OutboxStore) {
  const server = fakeServer({ outbox: { store } })
  const errors: string[] = []
  server.client.on("error", (error) => errors.push((error as HoldfastError).code))
  const room = server.client.channel("room/:room", lobby)
  return { ...server, room, errors }
}

describe("with a durable outbox", () => {
  test("the next page sends what is unanswered with the same keys and session, before what is new", async () => {
    const { page, kept } = storage()
    const store = page()
    const before = opened(store)
    const answers = [before.room.publish("moved", 1), before.room.publish("moved", 2)]
    void before.room.publish("moved", 3)
    await before.clock.settle()
    before.last().accept()
    const [hello, ...sent] = before.last().take()
    before
      .last()
      .say({ type: "result", id: (sent[1] as { id: number }).id, position: { epoch: "e", offset: 1 } })
    await answers[1]
    expect(kept()).toEqual([1, 3])
    store.left()

    const after = opened(page())
    void after.room.publish("moved", 4)
    await after.clock.settle()
    expect(after.client.pending).toBe(3)
    after.last().accept()
    const [again, ...resent] = after.last().take()
    expect(again).toMatchObject({ session: (hello as { session: string }).session })
    expect(resent).toMatchObject([
      { data: 1, idempotencyKey: (sent[0] as { idempotencyKey: string }).idempotencyKey },
      { data: 3, idempotencyKey: (sent[2] as { idempotencyKey: string }).idempotencyKey },
      { data: 4 },
    ])
    expect(kept()).toEqual([1, 3, 4])
    for (const each of resent) {
      after
        .last()
        .say({ type: "result", id: (each as { id: number }).id, position: { epoch: "e", offset: 2 } })
    }
    expect(kept()).toEqual([])
    expect(after.client.pending).toBe(0)
  })

  test("what an earlier page sent too long ago is in doubt; what it never sent goes out", async () => {
    const { page } = storage()
    const store = page()
    const before = opened(store)
    void before.room.publish("moved", 1)
    await before.clock.settle()
    before.last().accept({ now: 5_000_000 })
    before.last().close(1006)
    void before.room.publish("moved", 2)
    store.left()

    const after = opened(page())
    await after.clock.settle()
    after.last().accept({ now: 5_000_000 + 300_000 })
    expect(after.last().take()).toMatchObject([{ type: "hello" }, { data: 2 }])
    expect(after.errors).toEqual(["in_doubt"])
  })

  test("what the server refuses of an earlier page is told as an error of the client", async () => {
    const { page, kept } = storage()
    const store = page()
    const before = opened(store)
    void before.room.publish("moved", 1)
    await before.clock.settle()
    store.left()
    const after = opened(page())
    await after.clock.settle()
    after.last().accept()
    const [, sent] = after.last().take()
    after.last().say({ type: "error", id: (sent as { id: number }).id, code: "not_allowed", message: "no" })
    expect(after.errors).toEqual(["not_allowed"])
    expect(kept()).toEqual([])
  })

  test("that cannot be opened, everything goes on in memory", async () => {
    const refusing = storage().page()
    const { client, clock, room, errors, last } = opened({
      ...refusing,
      open: () => Promise.reject(new HoldfastError("storage_failed", "full")),
    })
    void room.publish("moved", 1)
    expect(client.status).toBe("connecting")
    await clock.settle()
    last().accept()
    expect(last().take()).toMatchObject([{ type: "hello" }, { data: 1 }])
    expect(errors).toEqual(["storage_failed"])
  })

  test("calls and presence are not kept", async () => {
    const { page, kept } = storage()
    const { room, clock } = opened(page())
    void room.call("double", 1).catch(() => undefined)
    void room.presence.enter({ name: "Ada" })
    await clock.settle()
    expect(kept()).toEqual([])
  })

  test("a client that is closed settles what waits, and what waits for the outbox too", async () => {
    const { page, kept } = storage()
    const { client, room, clock } = opened(page())
    const first = room.publish("moved", 1)
    await clock.settle()
    client.close()
    await expect(first).rejects.toMatchObject({ code: "closed" })
    expect(kept()).toEqual([])
    const other = opened(page())
    const early = other.room.publish("moved", 2)
    other.client.close()
    await expect(early).rejects.toMatchObject({ code: "closed" })
    expect(other.lines).toEqual([])
    expect(other.client.status).toBe("closed")
  })
})

test("the number of messages that wait is told when it changes", async () => {
  const { client, last } = fakeServer()
  const told: number[] = []
  client.on("pending", (count) => told.push(count))
  const room = client.channel("room/:room", lobby)
  void room.publish("moved", 1)
  void room.publish("moved", 2)
  last().accept()
  for (const each of last().take()) {
    if ("id" in each) last().say({ type: "result", id: each.id, position: { epoch: "e", offset: 1 } })
  }
  expect(told).toEqual([1, 2, 1, 0])
})
