import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { type CreateHubOptions, createHub } from "holdfast/server"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"

const app = contract({
  "kept/:name": channel({ events: { said: z.string() }, state: { price: z.string() } }),
  "trimmed/:name": channel({ events: { said: z.string() }, keep: { events: 20 } }),
})

/** 12 MB: more than the kernels hold between two sockets. */
const MESSAGES = 600
const text = (index: number) => `${index}:${"x".repeat(20_000)}`
const numberIn = (value: string) => Number.parseInt(value, 10)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

async function startHub(limits: CreateHubOptions<typeof app, undefined>["limits"] = {}) {
  const hub = createHub(app, {
    channels: { "kept/:name": { subscribe: true }, "trimmed/:name": { subscribe: true } },
    limits,
  })
  onTestFinished(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  return { hub, url }
}

/** A client whose sockets a test can stop reading from. */
function stallable(url: string) {
  const sockets: WebSocket[] = []
  class Stallable extends WebSocket {
    constructor(address: string, subprotocol: string) {
      super(address, subprotocol)
      sockets.push(this)
    }
  }
  const client = connect<typeof app>(url, { WebSocket: Stallable, backoff: { minMs: 1, maxMs: 10 } })
  onTestFinished(() => client.close())
  return { client, sockets, stall: () => sockets.at(-1)?.pause(), wake: () => sockets.at(-1)?.resume() }
}

/** Collects values; `until` resolves when the last one is as wanted. */
function collector<Value>() {
  const values: Value[] = []
  let look: () => void = () => undefined
  return {
    values,
    add: (value: Value) => {
      values.push(value)
      look()
    },
    until: (isLast: (value: Value) => boolean) =>
      new Promise<void>((resolve) => {
        look = () => {
          const last = values.at(-1)
          if (last !== undefined && isLast(last)) resolve()
        }
        look()
      }),
  }
}

test("who wakes too late for the log is told what is missing, and given the rest in order", async () => {
  const { hub, url } = await startHub()
  const { client, stall, wake } = stallable(url)
  const room = client.channel("trimmed/:name", { name: "a" })
  const events = collector<number>()
  const told: number[] = []
  room.on("said", (value, { offset }) => {
    told.push(offset)
    events.add(numberIn(value))
  })
  room.onGap(({ reason, from, to }) => {
    expect([reason, from.offset]).toEqual(["trimmed", told.at(-1) ?? 0])
    told.push(...upTo(to.offset - from.offset).map((index) => from.offset + index + 1))
  })
  await room.ready()
  stall()
  const published = hub.channel("trimmed/:name", { name: "a" })
  for (const index of upTo(MESSAGES)) await published.publish("said", text(index))
  wake()
  await events.until((number) => number === MESSAGES - 1)
  expect(room.stats.gaps).toBeGreaterThan(0)
  // What it was given and what it was told it has missed are, together and in order, all there was.
  expect(told).toEqual(upTo(MESSAGES).map((index) => index + 1))
  expect(events.values.slice(-20)).toEqual(upTo(20).map((index) => MESSAGES - 20 + index))
  await published.publish("said", text(MESSAGES))
  await events.until((number) => number === MESSAGES)
})

test("of a value that changed often meanwhile, who wakes is given what it is now", async () => {
  const { hub, url } = await startHub()
  const { client, stall, wake } = stallable(url)
  const prices = client.channel("kept/:name", { name: "a" }).state("price")
  const changes = collector<number>()
  prices.onChange(({ value }) => changes.add(numberIn(value ?? "")))
  await client.channel("kept/:name", { name: "a" }).ready()
  stall()
  const published = hub.channel("kept/:name", { name: "a" })
  for (const index of upTo(MESSAGES)) await published.set("price", `${index % 4}`, text(index))
  wake()
  await changes.until((number) => number === MESSAGES - 1)
  for (const key of upTo(4)) expect(numberIn(prices.get(`${key}`) ?? "")).toBe(MESSAGES - 4 + key)
  // Beyond what was on its way when it stopped to read: one for each key, and not all that there were.
  expect(changes.values.length).toBeLessThan(MESSAGES)
  expect(changes.values.slice(-4)).toEqual(upTo(4).map((index) => MESSAGES - 4 + index))
})

test("who stalls for so long that its line is given up comes back to where it stood", async () => {
  const { hub, url } = await startHub({ heartbeatMs: 100 })
  const { client, sockets, stall } = stallable(url)
  const room = client.channel("kept/:name", { name: "a" })
  const events = collector<number>()
  room.on("said", (value) => events.add(numberIn(value)))
  await room.ready()
  const published = hub.channel("kept/:name", { name: "a" })
  await published.publish("said", text(0))
  await events.until((number) => number === 0)
  stall()
  for (const index of upTo(MESSAGES - 1)) await published.publish("said", text(index + 1))
  await events.until((number) => number === MESSAGES - 1)
  expect(events.values).toEqual(upTo(MESSAGES))
  expect(sockets.length).toBeGreaterThan(1)
  expect(room.stats).toMatchObject({ gaps: 0, duplicates: 0 })
})
