import { setTimeout as sleep } from "node:timers/promises"
import { messageOf } from "../contestants/message.ts"
import type { Turns } from "../process/commands.ts"
import { cpuUs, nowUs } from "../process/now.ts"
import { listenForPace, PacedTurns } from "../process/paced-turns.ts"
import { SteadyTurns } from "../process/steady-turns.ts"
import { serve } from "../process/worker.ts"
import type { NodeCommands, SteadyTurnsWanted, TurnsPublished } from "./commands.ts"
import { nodes } from "./nodes.ts"

// A process whose CPU is measured: one node. One of them publishes.

let paced: PacedTurns
let steady: SteadyTurns
let handleTurns: (count: number) => void = () => undefined
let startCpuUs = 0

async function start({ contender, engineUrl }: Parameters<NodeCommands["start"]>[0]) {
  const { port, publish } = await nodes[contender](engineUrl)
  let messageCount = 0
  const publishNext = () => publish(messageOf(messageCount++))
  paced = new PacedTurns(publishNext)
  steady = new SteadyTurns(publishNext)
  return { port, pacePort: await listenForPace((count) => handleTurns(count)) }
}

function publish(turns: Turns): Promise<TurnsPublished> {
  handleTurns = () => paced.handleDelivered()
  return paced.run(turns)
}

async function publishSteadily(wanted: SteadyTurnsWanted): Promise<TurnsPublished> {
  handleTurns = (count) => steady.handleDelivered(count)
  const startUs = nowUs()
  steady.start(wanted)
  await sleep(wanted.durationMs)
  const publishedUs = await steady.stop()
  return { publishedUs, elapsedUs: nowUs() - startUs }
}

serve<NodeCommands>({
  start,
  publish,
  publishSteadily,
  begin: () => {
    startCpuUs = cpuUs()
  },
  end: () => ({ cpuUs: cpuUs() - startCpuUs }),
})
