import { setTimeout as sleep } from "node:timers/promises"
import { createHub } from "holdfast/server"
import { cpuUs, nowUs } from "../process/now.ts"
import { serve } from "../process/worker.ts"
import { app } from "./app.ts"
import type { TransportServerCommands } from "./commands.ts"

// The process whose CPU is measured.

const hub = createHub(app, { channels: { "room/:room": { subscribe: true } } })

let startUs = 0
let startCpuUs = 0

serve<TransportServerCommands>({
  start: async () => {
    const { port } = await hub.listen({ port: 0 })
    return { port }
  },
  publish: async ({ channels, seconds }) => {
    const rooms = Array.from({ length: channels }, (_, room) =>
      hub.channel("room/:room", { room: `${room}` }),
    )
    startUs = nowUs()
    startCpuUs = cpuUs()
    for (let count = 0; count < channels * seconds; count++) {
      const dueMs = (count * 1_000) / channels - (nowUs() - startUs) / 1_000
      if (dueMs > 0) await sleep(dueMs)
      await rooms[count % channels]?.publish("said", { sentUs: nowUs(), text: "x".repeat(100) })
    }
  },
  spent: () => ({ elapsedUs: nowUs() - startUs, cpuUs: cpuUs() - startCpuUs }),
})
