import { channel, contract } from "holdfast"
import { type Client, type ConnectOptions, connect } from "holdfast/client"
import { z } from "zod"
import type { HubOptions } from "../../src/hub/api/options.ts"
import { createHubCore } from "../../src/hub/hub.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { testNetwork } from "../../src/testing/network.ts"
import { seeded } from "../../src/testing/seeded.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"

/** One channel with everything. */
export const app = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }), moved: z.number() },
    state: { price: z.number() },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({}) },
    calls: {
      double: { input: z.number(), output: z.number(), errors: { too_large: z.object({ max: z.number() }) } },
      never: { input: z.null(), output: z.null() },
    },
    keep: { events: 50 },
  }),
  "secret/:name": channel({ events: { said: z.string() } }),
})

export type Handlers = HubOptions<typeof app, unknown>

/** A hub and its clients in one process, over a network in memory, on virtual time. */
export function rig(options: Handlers = {}) {
  const clock = virtualClock()
  const chance = seeded(7)
  const network = testNetwork(clock)
  const calls: string[] = []
  const hub = createHubCore(
    app,
    {
      channels: {
        "room/:room": {
          subscribe: true,
          events: { said: ({ data }) => data, moved: ({ data }) => data },
          state: { price: ({ data }) => data },
          delete: { price: () => true },
          presence: ({ data }) => data,
          signals: { typing: ({ data }) => data },
          calls: {
            double: ({ input, fail }) => {
              calls.push(`double ${input}`)
              return input > 100 ? fail("too_large", { max: 100 }) : input * 2
            },
            never: () => new Promise<null>(() => undefined),
          },
        },
      },
      ...options,
    },
    { clock, entropy: chance, log: memoryLog() },
  )
  network.serve("hub", hub)
  const client = (name: string, more: ConnectOptions = {}): Client<typeof app> =>
    connect<typeof app>("sim://hub", { transport: network.transport(name), clock, entropy: chance, ...more })
  const lineOf = (name: string) => network.lines().find((line) => line.client === name && line.isOpen())
  return { clock, network, hub, client, lineOf, calls }
}
