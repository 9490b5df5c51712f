import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { lmdbLog } from "holdfast/lmdb"
import { createHub, memoryLog } from "holdfast/server"
import { app, PARAMS, PATTERN } from "../contestants/holdfast/app.ts"
import { messageOf } from "../contestants/message.ts"
import type { Ports } from "../process/commands.ts"
import { cpuUs, nowUs } from "../process/now.ts"
import { serve } from "../process/worker.ts"
import type { RecoveryServerCommands } from "./commands.ts"
import { LiveTraffic } from "./live-traffic.ts"
import { RETURNING } from "./returning-client.ts"

// The process whose CPU is measured: a hub with two rooms, one that clients return to and one with live traffic.

type Start = RecoveryServerCommands["start"]

let hub: ReturnType<typeof createServerHub>
let live: LiveTraffic
let published = 0
let startUs = 0
let startCpuUs = 0

function createServerHub({ log, folder }: Parameters<Start>[0]) {
  return createHub(app, {
    channels: { [PATTERN]: { subscribe: true } },
    log: log === "lmdb" ? lmdbLog(folder) : memoryLog(),
  })
}

async function start(wanted: Parameters<Start>[0]): Promise<Ports> {
  hub = createServerHub(wanted)
  const room = hub.channel(PATTERN, PARAMS)
  live = new LiveTraffic((message) => room.publish("said", message))
  const pace = createServer({ noDelay: true }, (socket: Socket) => {
    socket.on("data", ({ byteLength }) => live.handleDelivered(byteLength))
    socket.on("error", () => socket.destroy())
  })
  pace.listen(0, "127.0.0.1")
  await once(pace, "listening")
  const { port } = await hub.listen({ port: 0 })
  return { port, pacePort: (pace.address() as AddressInfo).port }
}

serve<RecoveryServerCommands>({
  start,
  publish: async (count) => {
    const room = hub.channel(PATTERN, RETURNING)
    const publishes = Array.from({ length: count }, () => room.publish("said", messageOf(published++)))
    const last = (await Promise.all(publishes)).at(-1)
    if (last === undefined) throw new Error("nothing was published")
    return last
  },
  awaitConnections: async (count) => {
    while ([...hub.connections()].length > count) await sleep(10)
  },
  begin: ({ live: isLive }) => {
    if (isLive) live.start()
    startCpuUs = cpuUs()
    startUs = nowUs()
  },
  end: async () => {
    const spent = { elapsedUs: nowUs() - startUs, cpuUs: cpuUs() - startCpuUs }
    return { ...spent, dueUs: await live.stop() }
  },
})
