import type { Line, LineEvents, Wire } from "../client/transport.ts"
import type { HubConnection } from "../hub/connection/hub-connection.ts"
import type { Clock } from "../hub/ports/clock.ts"
import type { Link } from "../hub/ports/link.ts"
import type { Codec } from "../protocol/codec.ts"
import type { HoldfastError } from "../protocol/error.ts"
import { framing, split } from "./framing.ts"
import { pipe } from "./pipe.ts"

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
  /** Whether both ends take it for open. */
  readonly isOpen: () => boolean
  /**
   * Cuts it. What is on its way to an end that is told is lost. When only one end is told, the other goes on as if nothing
   * had happened: what was sent to it before still arrives, and nothing after.
   */
  readonly cut: (told?: "both" | "client" | "server") => void
  /** Half-open: nothing arrives any more in either direction, and nobody is told. */
  readonly blackHole: () => void
  /** The client's end stops reading, or goes on. */
  readonly stall: () => void
  readonly flow: () => void
}

/** A hub as the network sees it. */
export interface Host {
  readonly connect: (link: Link, request: unknown) => HubConnection
}

/** What a line is told of, and what it tells. */
export interface LinePorts {
  readonly clock: Pick<Clock, "after" | "monotonic">
  readonly conditions: Conditions
  readonly codec: Codec
  readonly events: LineEvents
  /** Each message, when it arrives and before it is handed over. */
  readonly handlePassing: (direction: "up" | "down", wire: Wire) => void
  /** Both ends have closed. */
  readonly handleEnd: () => void
}

export interface OpenLine {
  readonly test: TestLine
  /** The client's end. */
  readonly client: Line
  /** Connects the line to its host. */
  readonly accept: (host: Host) => void
  /** The host is gone, without a word: only the client is told. */
  readonly fail: () => void
}

/** How long the one who closes waits for the other end, in ms. */
const CLOSE_DEADLINE_MS = 1_000

/** The codes with which a peer says that it leaves on purpose (RFC 6455 7.4.1). */
const ORDERLY_CODES: readonly number[] = [1000, 1001]

/** A line on its way to a host. */
export function openLine(
  names: { readonly client: string; readonly host: string },
  { clock, conditions, codec, events, handlePassing, handleEnd }: LinePorts,
): OpenLine {
  let connection: HubConnection | undefined
  let serverEnded = false
  let clientEnded = false
  let severed = false

  const down = pipe<Uint8Array>(clock, conditions, {
    handle: (bytes) => {
      for (const wire of split(codec, bytes)) {
        if (!clientEnded) handlePassing("down", wire)
        // whoever looks at what passes may cut the line
        if (!clientEnded) events.onMessage(wire)
      }
    },
    handleDrain: () => connection?.handleDrain(),
  })
  const up = pipe<Wire>(clock, conditions, {
    handle: (wire) => {
      if (connection !== undefined && !serverEnded) handlePassing("up", wire)
      if (connection !== undefined && !serverEnded) deliver(connection, codec, wire)
    },
    handleDrain: () => {},
  })
  const endServer = (orderly: boolean) => {
    if (serverEnded) return
    serverEnded = true
    down.finish(() => {})
    connection?.handleClose(orderly)
    if (clientEnded) handleEnd()
  }
  const endClient = (code: number, reason: string) => {
    if (clientEnded) return
    clientEnded = true
    down.close()
    events.onClose(code, reason)
    if (serverEnded) handleEnd()
  }
  // what an end that is told has sent before goes on its way, unless the other is told too
  const cut = (told: "both" | "client" | "server" = "both") => {
    severed = true
    if (told !== "server") endClient(1006, "")
    if (told !== "client") endServer(false)
    if (told === "both") up.close()
    else up.finish(() => {})
  }
  return {
    test: {
      ...names,
      isOpen: () => connection !== undefined && !serverEnded && !clientEnded,
      cut,
      blackHole: () => {
        severed = true
        up.block()
        down.block()
      },
      stall: down.pause,
      flow: down.resume,
    },
    accept: (host) => {
      if (clientEnded) return
      const link: Link = {
        encoding: framing(codec),
        write: (bytes) => down.send(bytes, bytes.byteLength),
        cork: () => {},
        uncork: () => {},
        pause: up.pause,
        resume: up.resume,
        // the other end is told behind what was sent before; whoever closes waits for that, but not for ever
        close: (code, reason) => {
          down.finish(() => {
            endClient(code, reason)
            endServer(false)
          })
          clock.after(CLOSE_DEADLINE_MS, () => endServer(false))
        },
        destroy: () => {
          endServer(false)
          if (!severed) clock.after(conditions.latencyMs(), () => endClient(1006, ""))
        },
      }
      connection = host.connect(link, {})
      events.onOpen()
    },
    fail: () => {
      connection = undefined
      serverEnded = true
      up.close()
      endClient(1006, "")
      handleEnd()
    },
    client: {
      send: (wire) => {
        up.send(wire, wire.length)
      },
      close: (code, reason) => {
        up.finish(() => {
          endServer(ORDERLY_CODES.includes(code))
          endClient(code, reason)
        })
        clock.after(CLOSE_DEADLINE_MS, () => {
          endClient(1006, "")
          if (connection === undefined) endServer(false)
        })
      },
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
