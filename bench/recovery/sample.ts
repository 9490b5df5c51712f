import { setTimeout as sleep } from "node:timers/promises"
import type { LoadCommands } from "../process/commands.ts"
import { Worker } from "../process/worker.ts"
import type { LogName, RecoveryLoadCommands, RecoveryServerCommands, Returned, Spent } from "./commands.ts"

/** Those who listen to the live traffic. */
export const LIVE_SUBSCRIBERS = 10

export interface Scale {
  readonly clients: number
  readonly behind: number
  /** How long live traffic is measured before anything happens. */
  readonly seconds: number
  /** Where a CPU profile of the server is written. */
  readonly profile: string | undefined
}

/** What one round came to. */
export interface Sample {
  readonly reconnectMs: number
  readonly reconnectP99Ms: number
  readonly reconnectCpuMs: number
  readonly reconnectOnlyCpuMs: number
  readonly catchUpMs: number
  readonly catchUpEntriesPerSecond: number
  readonly catchUpMegabytesPerSecond: number
  /** Of the server, for each delivered entry. */
  readonly catchUpCpuUs: number
  readonly liveBeforeP50Ms: number
  readonly liveBeforeP99Ms: number
  readonly liveReconnectingP50Ms: number
  readonly liveReconnectingP99Ms: number
  readonly liveCatchingUpP50Ms: number
  readonly liveCatchingUpP99Ms: number
}

/** Three fresh processes: the server, those who return, and those who listen to the live traffic meanwhile. */
interface Scene {
  readonly server: Worker<RecoveryServerCommands>
  readonly returning: Worker<RecoveryLoadCommands>
  readonly listening: Worker<LoadCommands>
}

export async function sample(log: LogName, folder: string, scale: Scale): Promise<Sample> {
  const { profile } = scale
  const serverOptions = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]
  const server = new Worker<RecoveryServerCommands>("../recovery/server.ts", serverOptions)
  const returning = new Worker<RecoveryLoadCommands>("../recovery/load.ts")
  const listening = new Worker<LoadCommands>("load.ts")
  try {
    return await measure({ server, returning, listening }, log, folder, scale)
  } finally {
    await returning.stop()
    await listening.stop()
    await server.stop()
  }
}

async function measure(scene: Scene, log: LogName, folder: string, scale: Scale): Promise<Sample> {
  const { server, returning, listening } = scene
  const { clients, behind } = scale
  const ports = await server.ask("start", { log, folder })
  const listeners = { contestant: "holdfast-json", subscribers: LIVE_SUBSCRIBERS, checked: true } as const
  await listening.ask("subscribe", { ...ports, ...listeners })
  const wanted = { port: ports.port, clients }
  const connect = { ...wanted, top: undefined }
  let top = await server.ask("publish", 1)
  await returning.ask("connect", { ...wanted, top })

  /** Cuts all lines and publishes what they miss. */
  const leave = async (missed: number) => {
    await returning.ask("cut", undefined)
    await server.ask("awaitConnections", LIVE_SUBSCRIBERS)
    if (missed > 0) top = await server.ask("publish", missed)
  }
  const comeBack = async () => complete(await returning.ask("connect", { ...wanted, top }), clients * behind)
  const catchUp = async () => complete(await returning.ask("subscribe", { ...wanted, top }), clients * behind)

  // Once unmeasured, so that the code is compiled.
  await leave(behind)
  await comeBack()

  const before = await withLiveTraffic(scene, () => sleep(scale.seconds * 1e3))
  await leave(behind)
  const reconnecting = await withLiveTraffic(scene, comeBack)
  await leave(behind)
  const [reconnect, reconnectSpent] = await withoutLiveTraffic(scene, comeBack)
  await leave(0)
  const [, reconnectOnlySpent] = await withoutLiveTraffic(scene, () =>
    returning.ask("connect", { ...wanted, top }),
  )
  await leave(behind)
  await returning.ask("connect", connect)
  const [caughtUp, catchUpSpent] = await withoutLiveTraffic(scene, catchUp)
  await leave(behind)
  await returning.ask("connect", connect)
  const catchingUp = await withLiveTraffic(scene, catchUp)

  return {
    reconnectMs: reconnect.elapsedMs,
    reconnectP99Ms: reconnect.caughtUpMs.p99,
    reconnectCpuMs: reconnectSpent.cpuUs / 1e3,
    reconnectOnlyCpuMs: reconnectOnlySpent.cpuUs / 1e3,
    catchUpMs: caughtUp.elapsedMs,
    catchUpEntriesPerSecond: (caughtUp.entries / caughtUp.elapsedMs) * 1e3,
    catchUpMegabytesPerSecond: caughtUp.bytes / caughtUp.elapsedMs / 1e3,
    catchUpCpuUs: catchUpSpent.cpuUs / caughtUp.entries,
    liveBeforeP50Ms: before.p50,
    liveBeforeP99Ms: before.p99,
    liveReconnectingP50Ms: reconnecting.p50,
    liveReconnectingP99Ms: reconnecting.p99,
    liveCatchingUpP50Ms: catchingUp.p50,
    liveCatchingUpP99Ms: catchingUp.p99,
  }
}

/** @throws Error unless everybody was given everything. That nothing came twice is checked where it comes in. */
function complete(returned: Returned, expected: number): Returned {
  if (returned.entries === expected) return returned
  throw new Error(`${returned.entries} entries were delivered instead of ${expected}`)
}

/** The latency of live traffic while something happens. */
async function withLiveTraffic({ server, listening }: Scene, happen: () => Promise<unknown>) {
  await listening.ask("begin", 1)
  await server.ask("begin", { live: true })
  await happen()
  const { dueUs } = await server.ask("end", undefined)
  const { fewest, most, latencyMs } = await listening.ask("end", dueUs)
  if (fewest === dueUs.length && most === dueUs.length) return latencyMs
  throw new Error(`of ${dueUs.length} live messages, subscribers received ${fewest} to ${most}`)
}

/** What something costs by itself. */
async function withoutLiveTraffic(
  { server }: Scene,
  happen: () => Promise<Returned>,
): Promise<readonly [Returned, Spent]> {
  await server.ask("begin", { live: false })
  const returned = await happen()
  return [returned, await server.ask("end", undefined)]
}
