import type { Position } from "holdfast/client"
import { nowUs } from "../process/now.ts"
import { serve } from "../process/worker.ts"
import type { RecoveryLoadCommands, Returned } from "./commands.ts"
import { ReturningClient } from "./returning-client.ts"

// The process of those who return.

let clients: ReturningClient[] = []

async function together(run: (client: ReturningClient) => Promise<void>): Promise<Returned> {
  const startUs = nowUs()
  const entriesBefore = sum(({ entries }) => entries)
  const bytesBefore = sum(({ bytes }) => bytes)
  const caughtUpMs: number[] = []
  await Promise.all(
    clients.map(async (client) => {
      await run(client)
      caughtUpMs.push((nowUs() - startUs) / 1e3)
    }),
  )
  const at = (share: number) => caughtUpMs[Math.floor(share * (caughtUpMs.length - 1))] ?? 0
  return {
    elapsedMs: (nowUs() - startUs) / 1e3,
    entries: sum(({ entries }) => entries) - entriesBefore,
    bytes: sum(({ bytes }) => bytes) - bytesBefore,
    caughtUpMs: { p50: at(0.5), p99: at(0.99) },
  }
}

function sum(figure: (client: ReturningClient) => number): number {
  return clients.reduce((total, client) => total + figure(client), 0)
}

serve<RecoveryLoadCommands>({
  connect: ({ port, clients: count, top }) => {
    if (clients.length === 0) clients = Array.from({ length: count }, () => new ReturningClient())
    return together((client) => client.connect(port, top))
  },
  subscribe: ({ top }) => together((client) => client.subscribe(top as Position)),
  cut: () => {
    for (const client of clients) client.cut()
  },
})
