import type { LineEvents, Transport, Wire } from "../client/transport.ts"
import type { Clock } from "../hub/clock.ts"
import type { HubConnection } from "../hub/hub.ts"
import type { Link } from "../hub/link.ts"
import type { Codec } from "../protocol/codec.ts"
import type { HoldfastError } from "../protocol/error.ts"
import { json } from "../protocol/json.ts"
import { framing, split } from "./framing.ts"
import { type Pipe, pipe } from "./pipe.ts"

/** A hub as the network sees it. */
export interface Host {
  readonly connect: (link: Link, request: unknown) => HubConnection
}

/** How a network treats what it carries. All of it can be changed at any time. */
export interface Conditions {
  /** How long a message takes, in ms: drawn anew for each, and never overtaking the one before. */
  latencyMs: () => number
  /** How many bytes a line holds before its sender is told that it is full. */
  highWaterBytes: number
}

/** One line between a client and a host, as a test gets hold of it. */
export interface TestLine {
  readonly host: string
  /** Who opened it: what `transport` was named. */
  readonly client: string
  readonly isOpen: () => boolean
  /** Cuts it: both ends are told, and what is on its way is lost. */
  readonly cut: () => void
  /** Half-open: nothing arrives any more, and nobody is told. */
  readonly blackHole: () => void
  /** The client's end stops reading, or goes on. */
  readonly stall: () => void
  readonly flow: () => void
}

/** A network in memory that carries real messages between real clients and real hubs, on virtual time. */
export interface TestNetwork {
  readonly conditions: Conditions
  /** Makes a hub reachable under `sim://name`. */
  readonly serve: (name: string, host: Host) => void
  /** Takes it off again: its lines are cut, as when its machine fails. */
  readonly fail: (name: string) => void
  /** A transport for `connect`. While `reachable` says no, nothing can be opened through it. */
  readonly transport: (
    client: string,
    options?: { readonly codec?: Codec; readonly reachable?: () => boolean },
  ) => Transport
  /** The lines that are open now. */
  readonly lines: () => readonly TestLine[]
}

export function testNetwork(
  clock: Pick<Clock, "after" | "monotonic">,
  conditions: Partial<Conditions> = {},
): TestNetwork {
  const hosts = new Map<string, Host>()
  const lines = new Set<TestLine>()
  const network: TestNetwork = {
    conditions: { latencyMs: () => 1, highWaterBytes: 64 * 1024, ...conditions },
    serve: (name, host) => {
      hosts.set(name, host)
    },
    fail: (name) => {
      hosts.delete(name)
      for (const line of [...lines]) if (line.host === name) line.cut()
    },
    transport: (client, { codec = json as Codec, reachable = () => true } = {}) => ({
      open: (url, events) => {
        const name = hostOf(url)
        const line = openLine({ clock, conditions: network.conditions, client, name, codec, events })
        const cancel = clock.after(network.conditions.latencyMs(), () => {
          const host = reachable() ? hosts.get(name) : undefined
          if (host === undefined) line.test.cut()
          else line.accept(host)
        })
        lines.add(line.test)
        line.onEnd(() => {
          cancel()
          lines.delete(line.test)
        })
        return line.client
      },
    }),
    lines: () => [...lines],
  }
  return network
}

/** How long the one who closes waits for the other end. */
const CLOSE_DEADLINE_MS = 1_000

function hostOf(url: string): string {
  return new URL(url).host
}

interface Opening {
  readonly clock: Pick<Clock, "after" | "monotonic">
  readonly conditions: Conditions
  readonly client: string
  readonly name: string
  readonly codec: Codec
  readonly events: LineEvents
}

/** Both ends of one line. */
function openLine({ clock, conditions, client, name, codec, events }: Opening) {
  let connection: HubConnection | undefined
  let serverEnded = false
  let clientEnded = false
  let handleEnd = () => {}

  const down: Pipe<Uint8Array> = pipe(clock, conditions, {
    handle: (bytes) => {
      for (const wire of split(codec, bytes)) if (!clientEnded) events.onMessage(wire)
    },
    handleDrain: () => connection?.handleDrain(),
  })
  const up: Pipe<Wire> = pipe(clock, conditions, {
    handle: (wire) => {
      if (connection !== undefined && !serverEnded) deliver(connection, codec, wire)
    },
    handleDrain: () => {},
  })
  const endServer = (orderly: boolean) => {
    if (serverEnded) return
    serverEnded = true
    down.close()
    connection?.handleClose(orderly)
    if (clientEnded) handleEnd()
  }
  const endClient = (code: number, reason: string) => {
    if (clientEnded) return
    clientEnded = true
    up.close()
    events.onClose(code, reason)
    if (serverEnded) handleEnd()
  }
  const cut = () => {
    endServer(false)
    endClient(1006, "")
  }
  // the other end is told behind what was sent before; whoever closes waits for that, but not for ever
  const closeServer = (code: number, reason: string) => {
    down.finish(() => {
      endClient(code, reason)
      endServer(true)
    })
    clock.after(CLOSE_DEADLINE_MS, () => endServer(false))
  }
  const closeClient = (code: number, reason: string) => {
    up.finish(() => {
      endServer(true)
      endClient(code, reason)
    })
    clock.after(CLOSE_DEADLINE_MS, () => endClient(1006, ""))
  }
  const link: Link = {
    encoding: framing(codec),
    write: (bytes) => down.send(bytes, bytes.byteLength),
    cork: () => {},
    uncork: () => {},
    pause: up.pause,
    resume: up.resume,
    close: closeServer,
    destroy: cut,
  }
  const test: TestLine = {
    host: name,
    client,
    isOpen: () => !serverEnded && !clientEnded,
    cut,
    blackHole: () => {
      up.block()
      down.block()
    },
    stall: down.pause,
    flow: down.resume,
  }
  return {
    test,
    onEnd: (handle: () => void) => {
      handleEnd = handle
    },
    accept: (host: Host) => {
      if (clientEnded) return
      connection = host.connect(link, {})
      events.onOpen()
    },
    client: {
      send: (wire: Wire) => {
        up.send(wire, wire.length)
      },
      close: closeClient,
      bufferedBytes: up.bytes,
    },
  }
}

function deliver(connection: HubConnection, codec: Codec, wire: Wire): void {
  let decoded: unknown
  try {
    decoded = codec.decode(wire)
  } catch (error) {
    connection.handleInvalid(error as HoldfastError)
    return
  }
  connection.handleMessage(decoded, wire.length)
}
