import type { Transport } from "../client/transport.ts"
import type { Clock } from "../hub/ports/clock.ts"
import type { Codec } from "../protocol/codec.ts"
import { json } from "../protocol/json.ts"
import type { ClientMessage, ServerMessage } from "../protocol/message.ts"
import { type Conditions, type Host, type OpenLine, openLine, type TestLine } from "./line.ts"

/** A message that arrives, before its receiver sees it. A line that is cut now keeps it from arriving. */
export type Passing = { readonly line: TestLine } & (
  | { readonly direction: "up"; readonly message: ClientMessage }
  | { readonly direction: "down"; readonly message: ServerMessage }
)

export interface TransportOptions {
  /** What the client speaks; the same as `connect` is given. Default: JSON. */
  readonly codec?: Codec<string> | Codec<Uint8Array> | undefined
  /** Leads each line to the host of this name, as a load balancer would; undefined: to none. Default: the URL's host. */
  readonly route?: ((host: string) => string | undefined) | undefined
}

/** A network in memory that carries real messages between real clients and real hubs, on virtual time. */
export interface TestNetwork {
  readonly conditions: Conditions
  /** Makes a hub reachable under `sim://name`. */
  readonly serve: (name: string, host: Host) => void
  /** Opens no more lines to it; those that are open stay. */
  readonly refuse: (name: string) => void
  /** Takes it off again: its lines are cut, as when its machine fails. */
  readonly fail: (name: string) => void
  /** A transport for `connect`. `client` names the lines that are opened through it. */
  readonly transport: (client: string, options?: TransportOptions) => Transport
  /** The lines that are open now, at least at one end. */
  readonly lines: (client?: string) => readonly TestLine[]
  /** Looks at every message that arrives. Returns how to stop. */
  readonly onMessage: (listener: (passing: Passing) => void) => () => void
}

/** Without conditions each message takes 1 ms, and a line holds 64 KiB. */
export function testNetwork(
  clock: Pick<Clock, "after" | "monotonic">,
  conditions: Partial<Conditions> = {},
): TestNetwork {
  const hosts = new Map<string, Host>()
  const lines = new Set<OpenLine>()
  const listeners = new Set<(passing: Passing) => void>()
  const current: Conditions = { latencyMs: () => 1, highWaterBytes: 64 * 1024, ...conditions }

  const open = (client: string, name: string, codec: Codec, events: Parameters<Transport["open"]>[1]) => {
    const line = openLine(
      { client, host: name },
      {
        clock,
        conditions: current,
        codec,
        events,
        handlePassing: (direction, wire) => {
          if (listeners.size === 0) return
          const passing = { line: line.test, direction, message: codec.decode(wire) } as Passing
          for (const listener of [...listeners]) listener(passing)
        },
        handleEnd: () => lines.delete(line),
      },
    )
    lines.add(line)
    clock.after(current.latencyMs(), () => {
      const host = hosts.get(name)
      if (host === undefined) line.test.cut()
      else line.accept(host)
    })
    return line.client
  }
  return {
    conditions: current,
    serve: (name, host) => {
      hosts.set(name, host)
    },
    refuse: (name) => {
      hosts.delete(name)
    },
    fail: (name) => {
      hosts.delete(name)
      for (const line of [...lines]) if (line.test.host === name) line.fail()
    },
    transport: (client, { codec = json, route = (host: string) => host } = {}) => ({
      open: (url, events) => open(client, route(new URL(url).host) ?? "", codec as Codec, events),
    }),
    lines: (client) =>
      [...lines].map(({ test }) => test).filter((line) => client === undefined || line.client === client),
    onMessage: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
