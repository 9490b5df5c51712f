import { type Connectable, end, type PlainClient, type SentinelClient, single } from "./clients.ts"
import type { Line } from "./session.ts"

export function plainLine(pattern: PlainClient): Line {
  const client = single(pattern)
  return line(client, async () => void (await client.sendCommand(["PING"])), ["error", "end"])
}

/** The library keeps the connection to itself. Whatever happens to it, it is made anew. */
export function sentinelLine(sentinel: SentinelClient): Line {
  const ping = async () => void (await sentinel.sendCommand(false, ["PING"]))
  return line(sentinel, ping, ["error", "end", "topology-change"])
}

function line(client: Connectable, ping: () => Promise<void>, losses: readonly string[]): Line {
  let isLost = false
  return {
    async open({ handleLost, handleMoved }) {
      const lose = () => {
        if (isLost) return
        isLost = true
        handleLost()
      }
      // Before there is a listener for errors, one would end the process.
      client.on("error", () => undefined)
      await client.connect()
      for (const event of losses) client.on(event, lose)
      // A server of a cluster ends the subscriptions in a slot that it gives away.
      client.on("sharded-channel-moved", (live) => handleMoved(String(live)))
    },
    subscribe: async (live, listener) => void (await client.sSubscribe(live, listener, true)),
    unsubscribe: async (live, listener) => void (await client.sUnsubscribe(live, listener, true)),
    ping,
    destroy() {
      isLost = true
      end(client)
    },
  }
}
