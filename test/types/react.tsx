import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import {
  type ChannelHandle,
  createHooks,
  useEvents,
  usePresence,
  useSignal,
  useStateMap,
  useStatus,
} from "holdfast/react"
import { z } from "zod"

// Compiled, never run: each line that must not compile says so, and the type check fails when it does.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Fails to compile unless `Actual` is exactly `Expected`. */
declare function same<Expected>(): <Actual>(
  actual: Actual,
  ...proof: Equal<Actual, Expected> extends true ? [] : [never]
) => void

const app = contract({
  "room/:room": channel({
    events: {
      said: {
        input: z.object({ text: z.string() }),
        output: z.object({ text: z.string(), by: z.string() }),
      },
      moved: z.number(),
    },
    presence: { input: z.object({ nick: z.string() }), output: z.object({ name: z.string() }) },
    signals: { typing: z.object({ to: z.string() }) },
  }),
  "market/:venue": channel({ state: { price: z.object({ bid: z.number() }), halted: z.boolean() } }),
  news: channel({
    events: { headline: z.string() },
    calls: { subscribe: { input: z.null(), output: z.boolean() } },
  }),
})

const { useChannel, useConnection, HoldfastProvider } = createHooks(() => connect<typeof app>("/holdfast"))
const other = createHooks<typeof app>()
same<typeof useChannel>()(other.useChannel)

export function Components() {
  // --- channels ---
  const room = useChannel("room/:room", { room: "lobby" }, { history: { last: 50 } })
  const market = useChannel("market/:venue", { venue: "nyse" })
  const news = useChannel("news")
  useChannel("news", {}, { history: "all" })
  same<ChannelHandle<(typeof app)["channels"]["news"]>>()(news)
  // @ts-expect-error no such channel
  useChannel("rooms/:room", { room: "lobby" })
  // @ts-expect-error the parameters are missing
  useChannel("room/:room")
  // @ts-expect-error another parameter
  useChannel("room/:room", { name: "lobby" })

  // --- events ---
  for (const { data, key, offset, gap } of useEvents(room, "said")) {
    same<{ text: string; by: string }>()(data)
    same<string>()(key)
    same<number>()(offset)
    same<"trimmed" | "new-epoch" | "unknown-position" | undefined>()(gap?.reason)
  }
  for (const event of useEvents(room, ["said", "moved"], { last: 10 })) {
    if (event.name === "said") same<string>()(event.data.by)
    else same<number>()(event.data)
  }
  useEvents(room, "moved", ({ data }) => same<number>()(data))
  // @ts-expect-error no such event
  useEvents(room, "shouted")
  // @ts-expect-error one of them is none
  useEvents(room, ["said", "shouted"])
  // @ts-expect-error the channel declares no events
  useEvents(market, "price")
  // @ts-expect-error what is received has no such member
  useEvents(room, "said", ({ data }) => data.words)
  // @ts-expect-error no such option
  useEvents(room, "said", { first: 10 })

  // --- state ---
  same<ReadonlyMap<string, { bid: number }>>()(useStateMap(market, "price"))
  same<{ bid: number } | undefined>()(useStateMap(market, "price", "AAPL"))
  // @ts-expect-error no such state
  useStateMap(market, "volume")
  // @ts-expect-error the channel declares no state
  useStateMap(room, "price")

  // --- presence ---
  same<ReadonlyMap<string, { name: string }>>()(usePresence(room))
  usePresence(room, { nick: "Ada" })
  usePresence(room, undefined)
  // @ts-expect-error other data
  usePresence(room, { name: "Ada" })
  // @ts-expect-error the channel declares no presence
  usePresence(market)

  // --- signals ---
  same<ReadonlyMap<string, { to: string }>>()(useSignal(room, "typing"))
  useSignal(room, "typing", { forMs: 100 })
  useSignal(room, "typing", (data, { from }) => {
    same<{ to: string }>()(data)
    same<string | undefined>()(from)
  })
  // @ts-expect-error no such signal
  useSignal(room, "thinking")
  // @ts-expect-error the channel declares no signals
  useSignal(market, "typing")

  // --- what is sent ---
  room.publish("said", { text: "hi" })
  room.signal("typing", { to: "Bob" })
  market.state("price").set("AAPL", { bid: 1 })
  same<Promise<boolean>>()(news.call("subscribe", null))
  // @ts-expect-error no such event
  room.publish("shouted", { text: "hi" })
  // @ts-expect-error another payload
  room.publish("said", { words: "hi" })
  // @ts-expect-error no such signal
  room.signal("thinking", {})
  // @ts-expect-error another value
  market.state("price").set("AAPL", { ask: 1 })
  // @ts-expect-error no such call
  news.call("publish", null)
  // @ts-expect-error who listens does it by a hook
  room.on("said", () => undefined)

  // --- how it stands ---
  same<"subscribing" | "live" | "refused" | "closed">()(useStatus(room).status)
  same<"connecting" | "open" | "waiting" | "closed">()(useConnection().status)
  return <HoldfastProvider connect={() => connect<typeof app>("/holdfast")}>hello</HoldfastProvider>
}

const another = contract({ news: channel({ events: { headline: z.number() } }) })
// @ts-expect-error a client of another contract
export const wrong = <HoldfastProvider connect={() => connect<typeof another>("/holdfast")} />
