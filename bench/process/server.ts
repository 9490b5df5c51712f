import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { writeHeapSnapshot } from "node:v8"
import type { ContestantServer } from "../contestants/contestant.ts"
import { type ContestantName, contestants } from "../contestants/contestants.ts"
import { messageOf } from "../contestants/message.ts"
import type { MemoryUse, Ports, ServerCommands } from "./commands.ts"
import { listenForPace, PacedTurns } from "./paced-turns.ts"
import { serve } from "./worker.ts"

// The process whose CPU and memory are measured: one contestant's server, and the loop that publishes.

let server: ContestantServer
let turns: PacedTurns

async function start(contestant: ContestantName): Promise<Ports> {
  server = await (await contestants[contestant].server()).start()
  let messageCount = 0
  turns = new PacedTurns(() => server.publish(messageOf(messageCount++)))
  return { port: server.port, pacePort: await listenForPace(() => turns.handleDelivered()) }
}

async function memory(): Promise<MemoryUse> {
  if (gc === undefined) throw new Error("the process needs --expose-gc")
  // Weak references and what was freed late take more than one collection, and turns of the event loop between them.
  for (let i = 0; i < 5; i++) {
    gc()
    await sleep(50)
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}

serve<ServerCommands>({
  start,
  publish: (wanted) => turns.run(wanted),
  memory,
  heapSnapshot: (folder) => writeHeapSnapshot(join(folder, `server-${process.pid}.heapsnapshot`)),
})
