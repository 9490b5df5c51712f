import { setTimeout as sleep } from "node:timers/promises"
import { lmdbLog } from "holdfast/lmdb"
import { createHub, memoryLog } from "holdfast/server"
import { app, PARAMS, PATTERN } from "../contestants/holdfast/app.ts"
import { messageOf } from "../contestants/message.ts"
import type { Ports } from "../process/commands.ts"
import { cpuUs, nowUs } from "../process/now.ts"
import { listenForPace } from "../process/paced-turns.ts"
import { SteadyTurns } from "../process/steady-turns.ts"
import { serve } from "../process/worker.ts"
import { LIVE_INTERVAL_US, type RecoveryServerCommands } from "./commands.ts"
import { RETURNING } from "./returning-client.ts"

// The process whose CPU is measured: a hub with two rooms, one that clients return to and one with live traffic.

type Start = RecoveryServerCommands["start"]

let hub: ReturnType<typeof createServerHub>
let live: SteadyTurns
let published = 0
let livePublished = 0
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
  live = new SteadyTurns(() => room.publish("said", messageOf(livePublished++)))
  const pacePort = await listenForPace((count) => live.handleDelivered(count))
  const { port } = await hub.listen({ port: 0 })
  return { port, pacePort }
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
    if (isLive) live.start({ intervalUs: LIVE_INTERVAL_US, messagesPerTurn: 1 })
    startCpuUs = cpuUs()
    startUs = nowUs()
  },
  end: async () => {
    const spent = { elapsedUs: nowUs() - startUs, cpuUs: cpuUs() - startCpuUs }
    return { ...spent, dueUs: await live.stop() }
  },
})
