import { once } from "node:events"
import { connect, type Socket } from "node:net"
import type { ScriptStep, SubscriberScript } from "../contestants/contestant.ts"
import { type ContestantName, contestants } from "../contestants/contestants.ts"
import { Arrivals } from "../load/arrivals.ts"
import { subscribeRaw } from "../load/raw-subscriber.ts"
import { nowUs } from "../process/now.ts"
import { serve } from "../process/worker.ts"
import type { StalledLoadCommands, Woken } from "./commands.ts"
import { numberIn, STALLED_MESSAGE_BYTES } from "./message.ts"

// The process of the subscribers: those who read, and the one that does not.

const TURN_DELIVERED = Buffer.from([1])

let pace: Socket
let readers = 0
let arrivals: Arrivals | undefined
let failure: Error | undefined
let stalled: Socket | undefined
/** What the stalled one was given, and what it was told it has missed. */
let messages = 0
let gap = 0
/** The message that it has to be given next; undefined before the first. */
let next: number | undefined
let handleReceived: () => void = () => undefined

function fail(error: Error): void {
  failure ??= error
  handleReceived()
}

/** A script that reads every message instead of counting it. */
async function readingScript(contestant: ContestantName): Promise<SubscriberScript> {
  const { script } = await contestants[contestant].subscriber()
  const greeted = script()
  return {
    ...greeted,
    countedBytesMin: Number.POSITIVE_INFINITY,
    handleFrame: (payload): ScriptStep => {
      if (payload.byteLength >= STALLED_MESSAGE_BYTES) return handleMessage(numberIn(payload))
      const text = payload.toString()
      if (!text.startsWith('{"type":"gap"')) return greeted.handleFrame(payload)
      const { from, to } = JSON.parse(text) as Record<"from" | "to", { readonly offset: number }>
      const missed = to.offset - from.offset
      gap += missed
      if (next !== undefined) next += missed
      return {}
    },
  }
}

function handleMessage(number: number): ScriptStep {
  if (next !== undefined && number !== next) throw new Error(`received ${number} instead of ${next}`)
  next = number + 1
  messages++
  handleReceived()
  return {}
}

async function wake(last: number): Promise<Woken> {
  const startUs = nowUs()
  await new Promise<void>((resolve) => {
    handleReceived = () => {
      if (next === last + 1 || failure !== undefined) resolve()
    }
    stalled?.resume()
  })
  if (failure !== undefined) throw failure
  return { elapsedMs: (nowUs() - startUs) / 1e3, messages, gap }
}

serve<StalledLoadCommands>({
  subscribe: async ({ contestant, port, pacePort, readers: wanted }) => {
    pace = connect({ host: "127.0.0.1", port: pacePort, noDelay: true })
    await once(pace, "connect")
    const { script } = await contestants[contestant].subscriber()
    for (; readers < wanted; readers++) {
      const reader = readers
      await subscribeRaw(port, script(), (messages) => arrivals?.add(reader, messages), fail)
    }
  },
  stall: async ({ contestant, port }) => {
    stalled = await subscribeRaw(port, await readingScript(contestant), () => undefined, fail)
    stalled.pause()
  },
  begin: (messagesPerTurn) => {
    arrivals = new Arrivals(readers, messagesPerTurn, () => pace.write(TURN_DELIVERED))
  },
  end: (publishedUs) => {
    if (failure !== undefined) throw failure
    if (arrivals === undefined) throw new Error("nothing was begun")
    return arrivals.summary(publishedUs)
  },
  wake,
})
