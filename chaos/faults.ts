import type { Seeded } from "holdfast/testing"
import type { Cluster, Node } from "./cluster.ts"

/** Something bad that happens to a cluster. It ends by itself: what was killed runs again, what was frozen goes on. */
export interface Fault {
  readonly name: string
  /** Faults of the same victim do not happen at once. */
  readonly victim: (cluster: Cluster, chance: Seeded) => object
  readonly run: (cluster: Cluster, victim: never, chance: Seeded, pause: Pause) => Promise<void>
  /** How often, in relation to the others. */
  readonly weight: number
}

/** Lets time pass, in ms; shorter when the round is over. */
export type Pause = (ms: number) => Promise<void>

const aNode = ({ nodes }: Cluster, chance: Seeded) => chance.pick(nodes)
const theEngine = ({ engine }: Cluster) => engine
const theBalancer = ({ balancer }: Cluster) => balancer

function fault<V extends object>(
  name: string,
  weight: number,
  victim: (cluster: Cluster, chance: Seeded) => V,
  run: (cluster: Cluster, victim: V, chance: Seeded, pause: Pause) => Promise<void>,
): Fault {
  return { name, weight, victim, run: run as Fault["run"] }
}

export const faults = {
  killNode: fault("kill -9 of a node", 4, aNode, async (_, node: Node, chance, pause) => {
    await node.end("SIGKILL")
    await pause(chance.between(0, 3_000))
    await node.start()
  }),

  drainNode: fault("SIGTERM to a node", 3, aNode, async (_, node: Node, chance, pause) => {
    const code = await node.end("SIGTERM")
    if (code !== 0) throw new Error(`${node.name} was drained and exited with ${code}`)
    await pause(chance.between(0, 2_000))
    await node.start()
  }),

  freezeNode: fault("SIGSTOP of a node", 3, aNode, async (_, node: Node, chance, pause) => {
    node.freeze()
    await pause(chance.between(500, 15_000))
    node.thaw()
  }),

  isolateNode: fault(
    "a node cut off from the engine",
    3,
    aNode,
    async (_, { toEngine }: Node, chance, pause) => {
      toEngine.shut()
      if (chance.chance(0.5)) toEngine.cut(1)
      else toEngine.freeze(1)
      await pause(chance.between(100, 8_000))
      toEngine.open()
      toEngine.heal()
    },
  ),

  killEngine: fault("kill -9 of the engine", 2, theEngine, async ({ engine }, _, chance, pause) => {
    await engine.end("SIGKILL")
    await pause(chance.between(0, 3_000))
    await engine.start()
  }),

  restartEngine: fault("restart of the engine", 2, theEngine, async ({ engine }) => {
    await engine.end("SIGTERM")
    await engine.start()
  }),

  freezeEngine: fault("SIGSTOP of the engine", 2, theEngine, async ({ engine }, _, chance, pause) => {
    engine.freeze()
    await pause(chance.between(500, 6_000))
    engine.thaw()
  }),

  cutLines: fault("cut lines", 5, theBalancer, async ({ balancer }, _, chance) => {
    balancer.cut(chance.pick([0.05, 0.3, 1]))
  }),

  freezeLines: fault("half-open lines", 3, theBalancer, async ({ balancer }, _, chance) => {
    balancer.freeze(chance.pick([0.02, 0.2]))
  }),

  /** Only where the engine may lose something: puts its disk back to what was on it some time ago. */
  loseTail: fault("the engine loses its tail", 0, theEngine, async ({ engine }, _, chance, pause) => {
    engine.backUp()
    await pause(chance.between(1_000, 4_000))
    await engine.end("SIGKILL")
    engine.restore()
    await engine.start()
  }),
} as const satisfies Record<string, Fault>

export type FaultName = keyof typeof faults

/** Draws one, by weight. */
export function pickFault(chance: Seeded, among: readonly Fault[]): Fault {
  const sum = among.reduce((sum, { weight }) => sum + weight, 0)
  let left = chance.random() * sum
  for (const fault of among) {
    left -= fault.weight
    if (left < 0) return fault
  }
  return among[0] as Fault
}
