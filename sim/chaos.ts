import type { Seeded, TestNetwork, VirtualClock } from "holdfast/testing"
import type { Actor } from "./actor.ts"
import type { Broker } from "./broker.ts"
import type { SimulatedNode } from "./node.ts"
import type { Fault, Profile } from "./profile.ts"
import type { Tally } from "./tally.ts"
import type { Trace } from "./trace.ts"

export interface ChaosPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly network: TestNetwork
  readonly broker: Broker
  readonly nodes: readonly SimulatedNode[]
  readonly actors: readonly Actor[]
  readonly profile: Profile
  readonly trace: Trace
  readonly tally: Tally
}

/** Lets things go wrong, and right again. */
export interface Chaos {
  readonly strike: () => void
  /** Everything works again from now on, and nothing goes wrong any more. */
  readonly heal: () => Promise<void>
}

export function createChaos(ports: ChaosPorts): Chaos {
  const { clock, random, network, broker, nodes, actors, profile, trace, tally } = ports
  const leaving = new Set<Promise<void>>()
  let healed = false
  let quietUntilMs = 0
  const line = () => {
    const lines = network.lines().filter((each) => each.isOpen())
    return lines.length === 0 ? undefined : random.pick(lines)
  }
  const someNode = (isUp: boolean) => {
    const some = nodes.filter((node) => node.isUp() === isUp)
    return some.length === 0 ? undefined : random.pick(some)
  }
  const restartLater = (node: SimulatedNode) =>
    clock.after(random.between(1, 3_000), () => {
      if (!healed) node.start()
    })

  const strikes: Readonly<Record<Fault, () => boolean>> = {
    cut: () => {
      const cut = line()
      if (cut === undefined) return false
      trace.add(cut.client, `its line to ${cut.host} is cut`)
      cut.cut()
      return true
    },
    halfCut: () => {
      const cut = line()
      if (cut === undefined) return false
      const told = random.pick(["client", "server"] as const)
      trace.add(cut.client, `its line to ${cut.host} is cut, and only the ${told} knows`)
      cut.cut(told)
      return true
    },
    blackHole: () => {
      const hole = line()
      if (hole === undefined) return false
      trace.add(hole.client, `its line to ${hole.host} swallows everything`)
      hole.blackHole()
      return true
    },
    stall: () => {
      const stalled = line()
      if (stalled === undefined) return false
      trace.add(stalled.client, "stops reading")
      stalled.stall()
      clock.after(random.between(1, 6_000), stalled.flow)
      return true
    },
    crash: () => {
      const node = someNode(true)
      if (node === undefined) return false
      node.crash()
      restartLater(node)
      return true
    },
    leave: () => {
      const node = someNode(true)
      if (node === undefined) return false
      const left = node.leave().then(() => {
        leaving.delete(left)
        if (!healed) restartLater(node)
      })
      leaving.add(left)
      return true
    },
    // as before a deploy: each client makes its new line before it drops the old one
    handOver: () => {
      const node = someNode(true)
      if (node === undefined) return false
      trace.add(node.name, "sends its clients away")
      node.hub().disconnectAll({ reason: "simulated", reconnect: true, spreadMs: random.between(0, 500) })
      return true
    },
    unreachable: () => {
      const node = someNode(true)
      if (node === undefined) return false
      const port = node.port()
      port.setReachable(false)
      clock.after(random.between(10, 3_000), () => port.setReachable(true))
      return true
    },
    holes: () => {
      broker.conditions.holes = random.pick([0, 0.1, 0.5, 1])
      trace.add("broker", `loses ${broker.conditions.holes} of its notifications`)
      return true
    },
    newEpoch: () => {
      broker.loseEverything()
      return true
    },
    // two of them together are off by less than what the idempotency window allows for
    jump: () => {
      const node = someNode(true)
      node?.jump(random.between(-profile.skewMsMax, profile.skewMsMax))
      return node !== undefined
    },
    latency: () => {
      const [slowest, slowestLog] = [random.pick([2, 20, 200]), random.pick([0, 2, 20, 200])]
      network.conditions.latencyMs = () => random.between(1, slowest)
      broker.conditions.latencyMs = () => random.between(0, slowestLog)
      trace.add("network", `takes up to ${slowest} ms, the log up to ${slowestLog} ms`)
      return true
    },
    offline: () => {
      const actor = random.pick(actors)
      actor.goOffline(random.between(100, profile.offlineMsMax))
      for (const each of network.lines(actor.name)) each.cut()
      return true
    },
    lull: () => {
      const ms = random.between(...profile.lullMs)
      quietUntilMs = clock.monotonic() + ms
      for (const actor of actors) actor.goOffline(ms)
      for (const each of network.lines()) each.cut()
      return true
    },
  }
  const enabled = [...profile.faults]

  return {
    strike: () => {
      if (clock.monotonic() < quietUntilMs) return
      if (random.chance(0.1)) {
        tally.add("fault reconnect")
        random.pick(actors).reconnect()
        return
      }
      if (enabled.length === 0) return
      const fault = random.pick(enabled)
      if (strikes[fault]()) tally.add(`fault ${fault}`)
    },
    heal: async () => {
      healed = true
      trace.add("chaos", "ends")
      broker.conditions.holes = 0
      broker.conditions.latencyMs = () => 1
      network.conditions.latencyMs = () => random.between(1, 5)
      for (const actor of actors) actor.goOnline()
      for (const each of network.lines()) each.flow()
      for (const node of nodes) node.port().setReachable(true)
      for (const left of [...leaving]) await clock.run(left)
      for (const node of nodes) if (!node.isUp()) node.start()
    },
  }
}
