import type { Definitions } from "holdfast"
import type { Channel } from "holdfast/client"
import type { app } from "../../contract.ts"
import type { Connection } from "../client.ts"
import { formatMany } from "../format.ts"
import { nowMs } from "../frames.ts"
import type { LabActions } from "./lab.ts"
import type { Ledger } from "./ledger.ts"

type Pulse = Channel<Definitions<typeof app>["pulse"]>

const SLOW_SECONDS = 8
const SLOW_TIMEOUT_MS = 30_000
const BURST_COUNT = 500

/** What the buttons do: two of them to this tab's own connection, three by asking the server. */
export function labActions({ cut, goOffline }: Connection, pulse: Pulse, ledger: Ledger): LabActions {
  return {
    cut,
    goOffline,
    stopReading: async () => {
      ledger.handleSlow(nowMs())
      try {
        const options = { timeoutMs: SLOW_TIMEOUT_MS }
        const { heldBytes } = await pulse.call("stopReading", { seconds: SLOW_SECONDS }, options)
        return `The server held ${Math.round(heldBytes / 1_024)} KB for this tab and read the rest from its log.`
      } finally {
        ledger.handleSwift(nowMs())
      }
    },
    dropEverybody: async () => {
      const { connections } = await pulse.call("dropEverybody", {})
      return `The server dropped ${formatMany(connections, "connection")}.`
    },
    burst: async () => {
      const { published } = await pulse.call("burst", { count: BURST_COUNT })
      return `${formatMany(published, "event")} published at once.`
    },
  }
}
