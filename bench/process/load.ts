import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { contestants } from "../contestants/contestants.ts"
import { MessageCheck } from "../contestants/message.ts"
import { Arrivals } from "../load/arrivals.ts"
import { subscribeRaw } from "../load/raw-subscriber.ts"
import type { LoadCommands, Wanted } from "./commands.ts"
import { serve } from "./worker.ts"

// The process of the subscribers. Nearly all of them only count; one reads what it receives, as an application would.

/** More at once would overrun the server's queue of connections that wait to be accepted. */
const CONNECTING_MAX = 100

let pace: Socket | undefined
let subscribers = 0
let arrivals: Arrivals | undefined
let failure: Error | undefined

const TURN_DELIVERED = Buffer.from([1])

function fail(error: Error): void {
  failure ??= error
}

async function subscribe({
  contestant,
  port,
  pacePort,
  subscribers: wanted,
  checked,
}: Wanted): Promise<void> {
  if (pace === undefined) {
    pace = connect({ host: "127.0.0.1", port: pacePort, noDelay: true })
    await once(pace, "connect")
  }
  const { script, subscribe: subscribeChecked } = await contestants[contestant].subscriber()
  if (checked) {
    const subscriber = subscribers++
    const check = new MessageCheck()
    await subscribeChecked(port, (message) => {
      try {
        check.take(message)
      } catch (error) {
        fail(error as Error)
      }
      arrivals?.add(subscriber, 1)
    })
  }
  let missing = checked ? wanted - 1 : wanted
  const connectSome = async () => {
    while (missing-- > 0) {
      const subscriber = subscribers++
      await subscribeRaw(port, script(), (messages) => arrivals?.add(subscriber, messages), fail)
    }
  }
  await Promise.all(Array.from({ length: CONNECTING_MAX }, connectSome))
}

serve<LoadCommands>({
  subscribe,
  begin: (messagesPerTurn) => {
    arrivals = new Arrivals(subscribers, messagesPerTurn, () => pace?.write(TURN_DELIVERED))
  },
  end: (publishedUs) => {
    if (failure !== undefined) throw failure
    if (arrivals === undefined) throw new Error("nothing was begun")
    return arrivals.summary(publishedUs)
  },
})
