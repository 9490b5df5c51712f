import { channel, contract } from "holdfast"
import { createHub, type Hub, type ServerLimits } from "holdfast/server"
import { expect, onTestFinished } from "vitest"
import { z } from "zod"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import type { Reader } from "./reader.ts"

export const MESSAGES = 10_000
const numbers: readonly number[] = Array.from({ length: MESSAGES }, (_, index) => index + 1)

const BATCH = 100
/** How many of them come through between two disturbances. */
const CALM = 1_000

export const counter = contract({
  counter: channel({
    events: { counted: z.number() },
    keep: { events: 2 * MESSAGES },
  }),
})

export interface Node {
  readonly hub: Hub<typeof counter, undefined>
  readonly port: number
  /** How often it was subscribed to the counter here. */
  readonly subscriptions: () => number
}

interface NodeOptions {
  readonly log?: Log
  readonly limits?: Partial<ServerLimits>
}

/** A real hub. It is closed when the test is over. */
export async function startNode({ log = memoryLog(), limits = {} }: NodeOptions = {}): Promise<Node> {
  let subscriptions = 0
  const hub = createHub<typeof counter>(counter, {
    channels: {
      counter: { subscribe: () => ++subscriptions > 0, events: { counted: ({ data }) => data } },
    },
    log,
    limits,
  })
  onTestFinished(() => hub.close())
  const { port } = await hub.listen({ port: 0 })
  return { hub, port, subscriptions: () => subscriptions }
}

/**
 * Publishes 1 to 10,000 at these nodes in turn, and disturbs after each thousand, while what was published is on its way.
 * Resolves when all readers have heard the last.
 */
export async function countThrough(
  nodes: readonly Node[],
  readers: readonly Reader[],
  disturb: (time: number) => Promise<void> | void,
): Promise<void> {
  const allHave = (count: number) =>
    Promise.all(readers.map((reader) => reader.until(() => (reader.heard.at(-1) ?? 0) >= count)))
  const channels = nodes.map(({ hub }) => hub.channel("counter", {}))
  for (let from = 0; from < MESSAGES; from += BATCH) {
    const channel = channels[(from / BATCH) % channels.length]
    await Promise.all(numbers.slice(from, from + BATCH).map((number) => channel?.publish("counted", number)))
    if (from % CALM === CALM / 2) {
      await allHave(from - CALM / 4)
      await disturb(Math.floor(from / CALM))
    }
  }
  await allHave(MESSAGES)
}

/** Nothing is lost, nothing comes twice, and it is in order. */
export function expectAll(reader: Reader): void {
  expect(reader.gaps).toEqual([])
  expect(reader.heard).toEqual(numbers)
}
