import { once } from "node:events"
import { readFileSync } from "node:fs"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { cpuUs, nowUs } from "../process/now.ts"
import { serve } from "../process/worker.ts"
import type { Holding, PublishedLarge, StalledServerCommands } from "./commands.ts"
import { largeMessage } from "./message.ts"
import { type StalledServer, servers } from "./servers.ts"

// The process whose memory is measured.

/** How many turns pass between two looks at the memory. */
const TURNS_PER_LOOK = 50

let server: StalledServer
let published = 0
let handleTurnDelivered: () => void = () => undefined

function publish({
  messages,
  messagesPerTurn,
}: Parameters<StalledServerCommands["publish"]>[0]): Promise<PublishedLarge> {
  return new Promise((resolve, reject) => {
    const publishedUs: number[] = []
    const startCpuUs = cpuUs()
    const startUs = nowUs()
    let peakBytes = 0
    let turns = 0
    const publishTurn = () => {
      if (turns++ % TURNS_PER_LOOK === 0) peakBytes = Math.max(peakBytes, anonymousBytes())
      for (let i = 0; i < messagesPerTurn; i++) {
        publishedUs.push(nowUs())
        Promise.resolve(server.publish(largeMessage(published++))).catch(reject)
      }
    }
    handleTurnDelivered = () => {
      if (publishedUs.length < messages) return publishTurn()
      resolve({
        publishedUs: Float64Array.from(publishedUs),
        elapsedUs: nowUs() - startUs,
        cpuUs: cpuUs() - startCpuUs,
        peakBytes: Math.max(peakBytes, anonymousBytes()),
      })
    }
    publishTurn()
  })
}

/** Only Linux tells it apart; elsewhere it is all resident memory. */
function anonymousBytes(): number {
  if (process.platform !== "linux") return process.memoryUsage.rss()
  const [, kib] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? []
  return Number(kib) * 1024
}

async function memory(): Promise<Holding> {
  if (gc === undefined) throw new Error("the process needs --expose-gc")
  for (let i = 0; i < 5; i++) {
    gc()
    await sleep(50)
  }
  const { heapUsed, external } = process.memoryUsage()
  return { anonymous: anonymousBytes(), heapUsed, external }
}

serve<StalledServerCommands>({
  start: async ({ server: name, folder }) => {
    server = await servers[name](folder)
    const pace = createServer({ noDelay: true }, (socket: Socket) => {
      socket.on("data", () => handleTurnDelivered())
      socket.on("error", () => socket.destroy())
    })
    pace.listen(0, "127.0.0.1")
    await once(pace, "listening")
    return { port: server.port, pacePort: (pace.address() as AddressInfo).port }
  },
  publish,
  memory,
})
