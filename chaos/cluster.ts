import { fileURLToPath } from "node:url"
import { type Child, child } from "./child.ts"
import type { Defect } from "./defects.ts"
import { createEngine, type Engine } from "./engine.ts"
import { createGateway, type Gateway } from "./gateway.ts"

/** A node, and the network between it and the engine. */
export interface Node extends Child {
  readonly name: string
  /** 0 before it was started. */
  readonly port: () => number
  readonly toEngine: Gateway
}

/** Nodes on one engine, behind a balancer that knows nothing of sessions. */
export interface Cluster {
  readonly engine: Engine
  readonly nodes: readonly Node[]
  readonly balancer: Gateway
  readonly url: string
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

const root = fileURLToPath(new URL("../", import.meta.url))

export async function createCluster(size: number, random: () => number, defect?: Defect): Promise<Cluster> {
  const engine = await createEngine()
  const ports = new Map<string, number>()
  const nodes = await Promise.all(
    Array.from({ length: size }, async (_, index): Promise<Node> => {
      const name = `node ${index + 1}`
      const toEngine = await createGateway(() => [engine.port], random)
      const port = () => ports.get(name) ?? 0
      const process_ = nodeProcess(toEngine.port, port, defect)
      return {
        ...process_,
        name,
        port,
        toEngine,
        async start() {
          const match = await process_.start()
          ports.set(name, Number(match[1]))
          return match
        },
      }
    }),
  )
  const balancer = await createGateway(() => [...ports.values()], random)
  return {
    engine,
    nodes,
    balancer,
    url: `ws://127.0.0.1:${balancer.port}`,
    async start() {
      await engine.start()
      await Promise.all(nodes.map((node) => node.start()))
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.end("SIGKILL")))
      await Promise.all(
        [balancer, ...nodes.map(({ toEngine }) => toEngine)].map((gateway) => gateway.close()),
      )
      await engine.end("SIGKILL")
      engine.remove()
    },
  }
}

/** At the same port from its first start on. */
function nodeProcess(enginePort: number, port: () => number, defect: Defect | undefined): Child {
  return child({
    program: process.execPath,
    args: () => [
      "--import",
      "tsx",
      `${root}chaos/node.ts`,
      `redis://127.0.0.1:${enginePort}`,
      String(port()),
      ...(defect === undefined ? [] : [defect]),
    ],
    // without it, on the sources: the tests
    env: { TSX_TSCONFIG_PATH: `${root}tsconfig.json`, ...process.env },
    ready: /^listening at (\d+)$/,
  })
}
