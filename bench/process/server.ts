import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { writeHeapSnapshot } from "node:v8"
import type { ContestantServer } from "../contestants/contestant.ts"
import { type ContestantName, contestants } from "../contestants/contestants.ts"
import { messageOf } from "../contestants/message.ts"
import type { MemoryUse, Ports, Published, ServerCommands, Turns } from "./commands.ts"
import { cpuUs, nowUs } from "./now.ts"
import { serve } from "./worker.ts"

// The process whose CPU and memory are measured: one contestant's server, and the loop that publishes.

let server: ContestantServer
let messageCount = 0
let handleTurnDelivered: () => void = () => undefined

async function start(contestant: ContestantName): Promise<Ports> {
  server = await (await contestants[contestant].server()).start()
  const pace = createServer({ noDelay: true }, (socket: Socket) => {
    socket.on("data", () => handleTurnDelivered())
    socket.on("error", () => socket.destroy())
  })
  pace.listen(0, "127.0.0.1")
  await once(pace, "listening")
  return { port: server.port, pacePort: (pace.address() as AddressInfo).port }
}

/**
 * The next turn begins when every subscriber has everything of the one before. So nothing piles up, messages of different
 * turns cannot be sent together, and each contestant runs as fast as it can.
 */
function publish({ messagesPerTurn, durationMs }: Turns): Promise<Published> {
  return new Promise((resolve, reject) => {
    const publishedUs: number[] = []
    const publishTurn = () => {
      for (let i = 0; i < messagesPerTurn; i++) {
        publishedUs.push(nowUs())
        Promise.resolve(server.publish(messageOf(messageCount++))).catch(reject)
      }
    }
    const startCpuUs = cpuUs()
    const startUs = nowUs()
    handleTurnDelivered = () => {
      const elapsedUs = nowUs() - startUs
      if (elapsedUs < durationMs * 1e3) return publishTurn()
      resolve({ publishedUs: Float64Array.from(publishedUs), elapsedUs, cpuUs: cpuUs() - startCpuUs })
    }
    publishTurn()
  })
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
  publish,
  memory,
  heapSnapshot: (folder) => writeHeapSnapshot(join(folder, `server-${process.pid}.heapsnapshot`)),
})
