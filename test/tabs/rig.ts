import { channel, contract } from "holdfast"
import { type Client, type ConnectOptions, connect, type Transport } from "holdfast/client"
import { testWorld, type WorldOptions } from "holdfast/testing"
import { z } from "zod"
import type { Codec } from "../../src/protocol/codec.ts"
import { json } from "../../src/protocol/json.ts"
import { ductWithin, hostLine, type TabLine, tabLine } from "../../src/tabs/duct.ts"
import { Exchange } from "../../src/tabs/exchange.ts"

export const app = contract({
  "room/:room": channel({
    events: { said: z.number() },
    state: { price: z.number() },
    presence: z.string(),
    signals: { typing: z.null() },
    calls: { double: { input: z.number(), output: z.number() } },
    keep: { events: 20 },
  }),
  "plain/:name": channel({ events: { said: z.number() }, keep: { events: 20 } }),
  "secret/:name": channel({ events: { said: z.number() } }),
})

/** Tabs that share one connection, through an exchange that can be replaced, and a hub, in one process on virtual time. */
export function tabs(options: WorldOptions<typeof app, unknown> = {}) {
  const world = testWorld(app, {
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data },
        state: { price: ({ data }) => data },
        presence: ({ data }) => data,
        signals: { typing: ({ data }) => data },
        calls: { double: ({ input }) => input * 2 },
      },
      "plain/:name": { subscribe: true, events: { said: ({ data }) => data } },
    },
    ...options,
  })
  const { clock, network } = world
  let session: string | undefined
  const begin = () =>
    new Exchange({
      transports: [network.transport("relay")],
      clock,
      codec: json as Codec,
      session,
      handleSession: (given) => {
        session = given
      },
    })
  let exchange = begin()

  const tab = (more: ConnectOptions = {}) => {
    const lines = new Set<TabLine>()
    const kills = new Set<() => void>()
    const transport: Transport = {
      open: (url, events) => {
        const [tabEnd, hostEnd] = ductWithin(queueMicrotask)
        const mine = tabLine(tabEnd, events, () => lines.delete(mine))
        lines.add(mine)
        kills.add(
          hostLine(
            hostEnd,
            (port) => exchange.open(0, url, port),
            () => {},
          ),
        )
        return mine.line
      },
    }
    const client: Client<typeof app> = world.connect({ transport, ...more })
    return {
      client,
      /** Its line is lost, and the exchange finds out. */
      cut: () => {
        for (const kill of [...kills]) kill()
        kills.clear()
        for (const line of [...lines]) line.cut()
      },
      /** The page is gone, without a word of its client. */
      kill: () => {
        for (const kill of kills) kill()
      },
    }
  }
  return {
    ...world,
    get hub() {
      return world.hub
    },
    tab,
    /** The tab that held the connection is gone; another takes its place. */
    handOver: () => {
      const before = exchange
      exchange = begin()
      before.close(4408)
    },
    /** The lines to the server that are open now. */
    lines: () => network.lines("relay").filter((line) => line.isOpen()),
    lone: connect,
  }
}
