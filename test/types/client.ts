import { channel, contract } from "holdfast"
import { type Client, connect, type Device, type Position, type Transport } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { durableOutbox } from "holdfast/outbox"
import { sharedTabs } from "holdfast/tabs"
import * as v from "valibot"
import { WebSocket as WsWebSocket } from "ws"
import { z } from "zod"

// Compiled, never run: each line that must not compile says so, and the type check fails when it does.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Fails to compile unless `Actual` is exactly `Expected`. */
declare function same<Expected>(): <Actual>(
  actual: Actual,
  ...proof: Equal<Actual, Expected> extends true ? [] : [never]
) => void

const Bid = z.object({ amount: z.number(), by: z.string() })
const app = contract({
  "room/:room": channel({
    events: {
      said: {
        input: z.object({ text: z.string() }),
        output: z.object({ text: z.string(), by: z.string() }),
      },
      moved: v.object({ x: v.number(), y: v.optional(v.number(), 0) }),
    },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({}) },
  }),
  "market/:venue/:currency": channel({
    state: { price: z.object({ bid: z.number(), ask: z.number() }), halted: v.boolean() },
  }),
  "auction/:lot": channel({
    state: { highest: Bid },
    calls: {
      placeBid: { input: z.object({ amount: z.number() }), output: Bid },
      withdraw: { input: v.null(), output: v.object({ at: v.pipe(v.string(), v.transform(Number)) }) },
    },
  }),
  news: channel({ events: { headline: z.string() } }),
  seats: channel({
    presence: { input: z.object({ nick: z.string() }), output: z.object({ name: z.string() }) },
  }),
  "board/:id": channel({
    events: { added: z.object({ id: z.number() }) },
    state: { title: z.string() },
    snapshot: z.array(z.object({ id: z.number() })),
  }),
})

const client = connect<typeof app>("wss://example.com")
same<Client<typeof app>>()(client)

// --- channels and their parameters ---
const room = client.channel("room/:room", { room: "lobby" }, { history: { last: 50 } })
const market = client.channel("market/:venue/:currency", { venue: "nyse", currency: "usd" })
const auction = client.channel("auction/:lot", { lot: "7" })
const news = client.channel("news")
client.channel("news", {}, { history: "all" })
// @ts-expect-error no such channel
client.channel("rooms/:room", { room: "lobby" })
// @ts-expect-error the parameter is missing
client.channel("room/:room", {})
// @ts-expect-error the parameters are missing
client.channel("room/:room")
// @ts-expect-error one of two parameters is missing
client.channel("market/:venue/:currency", { venue: "nyse" })
// @ts-expect-error one parameter too many
client.channel("room/:room", { room: "lobby", floor: "2" })
// @ts-expect-error a parameter where there is none
client.channel("news", { room: "lobby" })
// @ts-expect-error parameters are strings
client.channel("auction/:lot", { lot: 7 })

// --- events: what is sent is the input, what is received the output ---
same<Promise<Position>>()(room.publish("said", { text: "hi" }))
room.on("said", (data, { offset, at, replayed }) => {
  same<{ text: string; by: string }>()(data)
  same<number>()(offset)
  same<number>()(at)
  same<boolean>()(replayed)
})
room.publish("moved", { x: 1 })
room.on("moved", (data) => same<{ x: number; y: number }>()(data))
room.publish("said", { text: "hi" }, { idempotencyKey: "k", timeoutMs: 1_000 })
// @ts-expect-error no such event
room.publish("shouted", { text: "hi" })
// @ts-expect-error no such event
room.on("shouted", () => undefined)
// @ts-expect-error another payload
room.publish("said", { words: "hi" })
// @ts-expect-error what only the server adds
room.publish("said", { text: "hi", by: "me" })
// @ts-expect-error no payload
room.publish("said")
// @ts-expect-error what is received has no such member
room.on("said", ({ words }) => words)

export async function iterate() {
  for await (const event of room.events()) {
    if (event.name === "said") same<string>()(event.data.by)
    else same<{ x: number; y: number }>()(event.data)
    same<number>()(event.offset)
  }
  for await (const { data } of room.events("moved")) same<number>()(data.y)
  for await (const { data } of news.events()) same<string>()(data)
  // @ts-expect-error no such event
  room.events("shouted")
  // @ts-expect-error the channel declares no events
  market.events("price")
}

// --- state ---
const price = market.state("price")
same<{ bid: number; ask: number } | undefined>()(price.get("AAPL"))
same<Promise<Position>>()(price.set("AAPL", { bid: 1, ask: 2 }))
same<Promise<Position>>()(price.delete("AAPL"))
price.onChange(({ key, value, previous }) => {
  same<string>()(key)
  same<{ bid: number; ask: number } | undefined>()(value)
  same<{ bid: number; ask: number } | undefined>()(previous)
})
for (const [key, value] of price.entries()) {
  same<string>()(key)
  same<number>()(value.bid)
}
same<boolean | undefined>()(market.state("halted").get("AAPL"))
// @ts-expect-error no such state
market.state("volume")
// @ts-expect-error another value
price.set("AAPL", { bid: 1 })
// @ts-expect-error another value
market.state("halted").set("AAPL", "yes")

// --- presence ---
room.presence.enter({ name: "Ada" })
room.presence.onChange((members) => same<ReadonlyMap<string, { name: string }>>()(members))
// @ts-expect-error other data
room.presence.enter({ nick: "Ada" })
const seats = client.channel("seats").presence
seats.enter({ nick: "Ada" })
same<ReadonlyMap<string, { name: string }>>()(seats.members)
// @ts-expect-error what only the server adds
seats.enter({ name: "Ada" })

// --- signals ---
room.signal("typing", {})
room.onSignal("typing", (_, { from }) => same<string | undefined>()(from))
// @ts-expect-error no such signal
room.signal("thinking", {})
// @ts-expect-error no such signal
room.onSignal("thinking", () => undefined)

// --- calls ---
same<Promise<{ amount: number; by: string }>>()(auction.call("placeBid", { amount: 120 }))
same<Promise<{ at: number }>>()(auction.call("withdraw", null, { timeoutMs: 1_000 }))
// @ts-expect-error no such call
auction.call("cancel", null)
// @ts-expect-error other input
auction.call("placeBid", { amount: "120" })

// --- what a channel does not declare cannot be used ---
// @ts-expect-error market declares no presence
market.presence.enter({ name: "Ada" })
// @ts-expect-error market declares no events
market.publish("said", { text: "hi" })
// @ts-expect-error market declares no events
market.on("price", () => undefined)
// @ts-expect-error market declares no signals
market.signal("typing", {})
// @ts-expect-error room declares no state
room.state("price")
// @ts-expect-error room declares no calls
room.call("placeBid", { amount: 1 })
// @ts-expect-error auction declares no signals
auction.onSignal("typing", () => undefined)
// @ts-expect-error news declares no presence
news.presence.members.size

// --- followers ---
const board = client.channel("board/:id", { id: "1" })
const rows = board.follow({
  reduce: (value, entry) => {
    same<{ id: number }[]>()(value)
    if (entry.type === "event") {
      same<"added">()(entry.name)
      same<{ id: number }>()(entry.data)
      same<number>()(entry.offset)
      return [...value, entry.data]
    }
    same<"title">()(entry.name)
    same<string | undefined>()(entry.value)
    return value
  },
})
same<{ id: number }[] | undefined>()(rows.value)
rows.onChange((value) => same<{ id: number }[] | undefined>()(value))
const ids = board.follow({
  load: (loaded) => new Set(loaded.map(({ id }) => id)),
  reduce: (value, entry) => (entry.type === "event" ? new Set([...value, entry.data.id]) : value),
})
same<Set<number> | undefined>()(ids.value)
const lines = room.follow({
  initial: [] as string[],
  reduce: (value, entry) => (entry.name === "said" ? [...value, entry.data.text] : value),
})
same<string[]>()(lines.value)
// @ts-expect-error a channel without a snapshot needs something to begin with
room.follow({ reduce: (value: string[]) => value })
// @ts-expect-error what is loaded is where it begins
board.follow({ initial: [{ id: 1 }], reduce: (value) => value })
// @ts-expect-error what is loaded has to be made into a value of another type
board.follow<number>({ reduce: (value) => value + 1 })
room.follow({
  initial: 0,
  // @ts-expect-error no such event
  reduce: (value, entry) => (entry.name === "shouted" ? value + 1 : value),
})

// --- connecting ---
connect<typeof app>("wss://example.com", { outbox: durableOutbox("ada", { entriesMax: 50 }) })
client.on("pending", (count) => same<number>()(count))
connect<typeof app>("wss://example.com", { token: "t", codec: msgpack })
connect<typeof app>("wss://example.com", { token: async () => "t", WebSocket: WsWebSocket })
connect<typeof app>("wss://example.com", { token: () => "t", WebSocket: globalThis.WebSocket })
// @ts-expect-error a token is a string
connect<typeof app>("wss://example.com", { token: 1 })
// @ts-expect-error no such option
connect<typeof app>("wss://example.com", { tokens: "t" })
connect<typeof app>("wss://example.com", { transports: ["sse", "poll"] })
// @ts-expect-error no such transport
connect<typeof app>("wss://example.com", { transports: ["websockets"] })
// @ts-expect-error a list, the best first
connect<typeof app>("wss://example.com", { transports: "poll" })
connect<typeof app>("wss://example.com", { transport: sharedTabs({ name: "ada" }) })
declare const carrier: Transport
connect<typeof app>("wss://example.com", { transport: [carrier, ...sharedTabs()] })
connect<typeof app>("wss://example.com", { transport: { open: (url, events) => carrier.open(url, events) } })
// @ts-expect-error a name is none: those stand in `transports`
connect<typeof app>("wss://example.com", { transport: "poll" })
const device: Device = ({ onChange, onFreeze }) => {
  same<() => void>()(onChange)
  same<() => void>()(onFreeze)
  return () => undefined
}
connect<typeof app>("wss://example.com", { device })
// @ts-expect-error a device says how to stop watching it
connect<typeof app>("wss://example.com", { device: () => undefined })
connect<typeof app>("wss://example.com", { backoff: { maxMs: 1_000 }, connectTimeoutMs: 5_000 })
client.on("status", (status) => same<"connecting" | "open" | "waiting" | "closed">()(status))
client.on("transport", (name) => same<string>()(name))
client.on("log", (available) => same<boolean>()(available))
client.on("error", (error) => same<unknown>()(error))
same<string | undefined>()(client.transport)
same<boolean>()(client.logAvailable)
same<number>()(client.pending)
same<number | undefined>()(client.retryInMs)
same<string | undefined>()(client.member)
// @ts-expect-error what is told is not to be set
client.transport = "poll"
// @ts-expect-error what is told is not to be set
client.logAvailable = true
// @ts-expect-error no such event of the client
client.on("message", () => undefined)
