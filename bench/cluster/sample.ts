import { type RedisServer, startRedis } from "../../test/support/redis.ts"
import type { LoadCommands } from "../process/commands.ts"
import { Worker } from "../process/worker.ts"
import type { ContenderName, NodeCommands, TurnsPublished } from "./commands.ts"

/** What one phase of one round came to. CPU is in µs. */
export interface Sample {
  /** Of all nodes, per delivered message. */
  readonly nodesCpuUs: number
  /** Delivered messages for each second of CPU that the nodes used. */
  readonly deliveriesPerCpuSecond: number
  /** Of the engine, per published message. */
  readonly engineCpuUs: number
  readonly loadCpuUs: number
  readonly publishesPerSecond: number
  readonly deliveriesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Fewer say nothing. */
const STEADY_TURNS_MIN = 10

export interface Scale {
  readonly nodes: number
  readonly subscribers: number
  readonly profile: string | undefined
}

/** Nodes, an engine and subscribers, each in a fresh process of its own. */
export class Scene {
  readonly #engine: RedisServer
  readonly #nodes: readonly Worker<NodeCommands>[]
  readonly #load: Worker<LoadCommands>
  readonly #subscribers: number

  private constructor(
    engine: RedisServer,
    nodes: readonly Worker<NodeCommands>[],
    load: Worker<LoadCommands>,
    subscribers: number,
  ) {
    this.#engine = engine
    this.#nodes = nodes
    this.#load = load
    this.#subscribers = subscribers
  }

  /** Runs `measure` on a fresh scene, whose processes have ended when this settles. */
  static async with(
    contender: ContenderName,
    { nodes: size, subscribers, profile }: Scale,
    measure: (scene: Scene) => Promise<void>,
  ): Promise<void> {
    const options = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]
    const engine = await startRedis()
    const nodes = Array.from({ length: size }, () => new Worker<NodeCommands>("../cluster/node.ts", options))
    const load = new Worker<LoadCommands>("load.ts")
    try {
      await subscribe(contender, engine, nodes, load, subscribers)
      await measure(new Scene(engine, nodes, load, subscribers))
    } finally {
      await load.stop()
      for (const node of nodes) await node.stop()
      await engine.destroy()
    }
  }

  /** Turn after turn, each when all subscribers have the one before. */
  asFastAsPossible(messagesPerTurn: number, durationMs: number): Promise<Sample> {
    const turns = { messagesPerTurn, durationMs }
    return this.#measure(messagesPerTurn, (node) => node.ask("publish", turns, durationMs + 30_000))
  }

  /** So many messages a second, in turns, whether or not those before have been delivered. */
  atRate(publishesPerSecond: number, messagesPerTurn: number, durationMsMin: number): Promise<Sample> {
    const intervalUs = (messagesPerTurn / publishesPerSecond) * 1e6
    const durationMs = Math.max(durationMsMin, (STEADY_TURNS_MIN * intervalUs) / 1e3)
    const turns = { messagesPerTurn, durationMs, intervalUs }
    return this.#measure(messagesPerTurn, (node) => node.ask("publishSteadily", turns, durationMs + 30_000))
  }

  async #measure(
    messagesPerTurn: number,
    publish: (node: Worker<NodeCommands>) => Promise<TurnsPublished>,
  ): Promise<Sample> {
    await this.#load.ask("begin", messagesPerTurn)
    for (const node of this.#nodes) await node.ask("begin", undefined)
    const engineBeforeUs = await this.#engineCpuUs()
    const { publishedUs, elapsedUs } = await publish(this.#nodes[0] as Worker<NodeCommands>)
    const engineCpuUs = (await this.#engineCpuUs()) - engineBeforeUs
    let nodesCpuUs = 0
    for (const node of this.#nodes) nodesCpuUs += (await node.ask("end", undefined)).cpuUs
    const messages = publishedUs.length
    const { fewest, most, latencyMs, cpuUs } = await this.#load.ask("end", publishedUs)
    if (fewest !== messages || most !== messages) {
      throw new Error(`of ${messages} messages, subscribers received ${fewest} to ${most}`)
    }
    const deliveries = messages * this.#subscribers
    return {
      nodesCpuUs: nodesCpuUs / deliveries,
      deliveriesPerCpuSecond: (deliveries / nodesCpuUs) * 1e6,
      engineCpuUs: engineCpuUs / messages,
      loadCpuUs: cpuUs / deliveries,
      publishesPerSecond: (messages / elapsedUs) * 1e6,
      deliveriesPerSecond: (deliveries / elapsedUs) * 1e6,
      p50Ms: latencyMs.p50,
      p99Ms: latencyMs.p99,
    }
  }

  /** Of the whole process, since it was started. */
  async #engineCpuUs(): Promise<number> {
    const info = await this.#engine.client.info("cpu")
    const seconds = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1])
    return (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1e6
  }
}

/** As many subscribers on each node. Who reports that all was delivered reports to the first, which publishes. */
async function subscribe(
  contender: ContenderName,
  { url }: RedisServer,
  nodes: readonly Worker<NodeCommands>[],
  load: Worker<LoadCommands>,
  subscribers: number,
): Promise<void> {
  const wanted = { contestant: contender, subscribers: subscribers / nodes.length, checked: true }
  let pacePort: number | undefined
  for (const node of nodes) {
    const ports = await node.ask("start", { contender, engineUrl: url })
    pacePort ??= ports.pacePort
    await load.ask("subscribe", { ...wanted, port: ports.port, pacePort })
  }
}
