import type { Seeded, VirtualClock } from "holdfast/testing"
import { statesOf } from "./app.ts"
import { placeOf, stateCollection } from "./collections.ts"
import type { Ledger } from "./ledger.ts"
import type { SimulatedNode } from "./node.ts"
import type { Held } from "./subscriber.ts"
import type { Tally } from "./tally.ts"
import type { Truth } from "./truth.ts"

/** What the server's own code was given when it asked for a state. */
export interface Reading {
  readonly channel: string
  readonly collection: string
  readonly epoch: string
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly held: Held
}

export interface ReaderPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly ledger: Ledger
  readonly tally: Tally
  readonly truth: Truth
  readonly channels: readonly string[]
  readonly nodes: readonly SimulatedNode[]
}

/** Server code that reads a state now and then, through any node. Returns how to have it do so. */
export function createReader({
  clock,
  random,
  ledger,
  tally,
  truth,
  channels,
  nodes,
}: ReaderPorts): () => void {
  return () => {
    const channel = random.pick(channels)
    const node = random.pick(nodes)
    const states = statesOf(channel)
    if (states.length === 0 || !node.isUp()) return
    const state = random.pick(states)
    const [pattern, name = ""] = channel.split("/")
    const collection = stateCollection(state)
    const [epoch, startedAtMs] = [truth.epoch, clock.monotonic()]
    const values = node
      .hub()
      .channel(`${pattern}/:name` as "board/:name", { name })
      .state(state)
    values.then(
      (found) => {
        tally.add("states read")
        const held = new Map([...found].map(([key, { id }]) => [placeOf(collection, key), id]))
        ledger.readings.push({ channel, collection, epoch, startedAtMs, endedAtMs: clock.monotonic(), held })
      },
      // the log was away
      () => tally.add("reads failed"),
    )
  }
}
