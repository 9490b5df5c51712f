import { expect, test } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { rig } from "./rig.ts"

const app = contract({ notes: channel({ events: { added: z.any() }, state: { note: z.any() } }) })

/** A handler that changes what it is given, and differently each time. */
function world() {
  let calls = 0
  const stamp = ({ data }: { data: Record<string, unknown> }) => {
    data.stamp = ++calls
    return data
  }
  return rig(app, {
    channels: { notes: { subscribe: true, events: { added: stamp }, state: { note: stamp } } },
  })
}

const added = (data: unknown, id: number) => ({
  type: "publish",
  id,
  channel: "notes",
  name: "added",
  data,
  idempotencyKey: "once",
})

/** `levels` objects around each other. */
function nested(levels: number): object {
  return levels === 1 ? {} : { a: nested(levels - 1) }
}

test("a repetition is recognized by what was asked, whatever the handler makes of it", async () => {
  const { peer, clock } = world()
  const client = peer()
  await client.hello()
  client.send(added({ text: "a" }, 1))
  await clock.settle()
  client.send(added({ text: "a" }, 2))
  await clock.settle()
  expect(client.all("result").map(({ position }) => position?.offset)).toEqual([1, 1])
  client.send(added({ text: "b" }, 3))
  await clock.settle()
  expect(client.last("error")).toMatchObject({ id: 3, code: "idempotency_conflict" })
})

test("a payload that is too deep to be kept is the client's fault, and no defect of the server", async () => {
  const { peer, clock, problems } = world()
  const client = peer()
  await client.hello()
  client.send(added(nested(60), 1))
  await clock.settle()
  expect(client.last("result").id).toBe(1)
  client.send(added(nested(61), 2))
  client.send({ ...added(nested(61), 3), type: "set", name: "note", key: "k" })
  await clock.settle()
  expect(client.all("error")).toMatchObject([
    { id: 2, code: "invalid_value" },
    { id: 3, code: "invalid_value" },
  ])
  expect(problems).toEqual([])
})

test("a key counts within its user, also when ids and keys have line breaks", async () => {
  const { peer, clock } = rig(app, {
    authenticate: ({ token }) => ({ id: token }),
    channels: { notes: { events: { added: ({ data }) => data } } },
  })
  const positions: unknown[] = []
  for (const [token, idempotencyKey] of [
    ["ada", "x\n1"],
    ["ada\nx", "1"],
  ]) {
    const client = peer()
    client.send({ type: "hello", token, session: "session-0123456789abcdef", subscriptions: [] })
    await clock.settle()
    client.send({ ...added({ text: "a" }, 1), idempotencyKey })
    await clock.settle()
    positions.push(client.last("result").position?.offset)
  }
  expect(positions).toEqual([1, 2])
})
