import type { Cluster, Node } from "./cluster.ts"
import type { Crowd } from "./crowd.ts"

/** How long a node may take to say how it is, in ms. */
const PATIENCE_MS = 3_000

/** How everything stands, for whoever has to find out why something is wrong. */
export async function situation({ nodes }: Cluster, { connected }: Crowd): Promise<readonly string[]> {
  const states = await Promise.all(nodes.map(async (node) => `${node.name}: ${await readiness(node)}`))
  const clients = [...connected].map(([name, count]) => `${name} ${count}`).join(", ")
  return [...states, `clients: ${clients}`]
}

async function readiness({ port, isRunning }: Node): Promise<string> {
  if (!isRunning()) return "does not run"
  try {
    const answer = await fetch(`http://127.0.0.1:${port()}/readyz`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    return `${answer.status} ${(await answer.text()).trim()}`
  } catch (error) {
    return String(error)
  }
}
