import { BINARY, type ClusterClient, end, type PlainClient } from "./clients.ts"
import { isDown, isPassing, unavailable } from "./failure.ts"
import { partitionOf, slotOf } from "./keys.ts"
import { plainLine } from "./line.ts"
import type { Argument, Session } from "./session.ts"

export function clusterSession(cluster: ClusterClient): Session {
  // A node that is gone is for the library to replace; what concerns us comes as the failure of a command.
  cluster.on("error", () => undefined)
  const ask = (args: readonly Argument[]) =>
    Promise.any(
      cluster.masters.map(async (master) => (await cluster.nodeClient(master)).sendCommand(args, BINARY)),
    )
  const serverOf = async (partition: number) => {
    const master = cluster.slots[slotOf(partition)]?.master
    if (master === undefined) throw unavailable("No server of the Redis Cluster has this channel's slot")
    return { master, client: master.client ?? (await cluster.nodeClient(master)) }
  }
  const readiness = new Readiness()
  return {
    isSingle: false,
    connect: async () => void (await cluster.connect()),
    ask,
    check: () => checkCluster(cluster, ask),
    async send(key, args, start) {
      await readiness.of((await serverOf(partitionOf(key))).client)
      return start() ? cluster.sendCommand(key, false, args, BINARY) : undefined
    },
    async route(partition) {
      const { master, client } = await serverOf(partition)
      return { server: `${master.host}:${master.port}`, line: () => plainLine(client) }
    },
    destroy: () => end(cluster),
  }
}

/**
 * A cluster whose slots are not all served refuses everything, unless it is configured otherwise, and answers pings. One server
 * that takes commands is enough: another may have lost the others, or found them not yet.
 */
async function checkCluster({ masters }: ClusterClient, ask: Session["ask"]): Promise<void> {
  const clients = masters.flatMap(({ client }) => (client?.isReady === true ? [client] : []))
  if (clients.length === 0) return void (await ask(["PING"]))
  try {
    await Promise.any(clients.map(checkState))
  } catch (error) {
    throw error instanceof AggregateError ? (error.errors.find(isDown) ?? error) : error
  }
}

async function checkState(client: PlainClient): Promise<void> {
  let info: string
  try {
    info = String(await client.sendCommand(["CLUSTER", "INFO"]))
  } catch (error) {
    // a user without the permission cannot know
    if (isPassing(error)) throw error
    return
  }
  if (info.includes("cluster_state:fail")) throw new Error("CLUSTERDOWN The cluster is down")
}

/** Waits for connections. The library would take a command without one, and send it long after it was given up here. */
class Readiness {
  readonly #awaited = new WeakMap<PlainClient, Promise<void>>()

  async of(client: PlainClient): Promise<void> {
    if (client.isReady) return
    const awaited =
      this.#awaited.get(client) ??
      new Promise<void>((resolve) => {
        client.once("ready", () => {
          this.#awaited.delete(client)
          resolve()
        })
      })
    this.#awaited.set(client, awaited)
    await awaited
  }
}
