import { type Client, type ConnectOptions, connect, type LineEvents, type Transport } from "holdfast/client"
import type { ClientMessage, ServerMessage, Welcome } from "../../src/protocol/message.ts"
import { seeded } from "../../src/testing/seeded.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import type { app } from "./rig.ts"

export const welcome: Welcome = {
  type: "welcome",
  connection: "c1",
  member: "me",
  heartbeatMs: 25_000,
  messageBytesMax: 1_000,
  idempotencyWindowMs: 300_000,
  now: 0,
}

/** A line whose other end is the test. */
export interface FakeLine {
  readonly url: string
  /** What the client sent and the test has not taken. */
  readonly take: () => ClientMessage[]
  readonly open: () => void
  readonly say: (...messages: ServerMessage[]) => void
  readonly sayText: (text: string) => void
  /** Opens, and lets the client in. */
  readonly accept: (more?: Partial<Welcome>) => void
  readonly close: (code: number, reason?: string) => void
  readonly closedWith: () => number | undefined
  /** From now on, sending throws. */
  readonly breakSending: () => void
  bufferedBytes: number
}

/** A client whose server is the test. */
export function fakeServer(options: ConnectOptions = {}) {
  const clock = virtualClock()
  const lines: FakeLine[] = []
  const transport: Transport = {
    open: (url, events) => {
      const { line, test } = fakeLine(url, events)
      lines.push(test)
      return line
    },
  }
  const client: Client<typeof app> = connect<typeof app>("wss://example.com", {
    transport,
    clock,
    entropy: seeded(3),
    ...options,
  })
  const last = () => lines.at(-1) as FakeLine
  return { clock, client, lines, last }
}

function fakeLine(url: string, events: LineEvents) {
  let sent: ClientMessage[] = []
  let closedWith: number | undefined
  let broken = false
  const test: FakeLine = {
    url,
    bufferedBytes: 0,
    take: () => {
      const taken = sent
      sent = []
      return taken
    },
    open: events.onOpen,
    say: (...messages) => {
      for (const message of messages) events.onMessage(JSON.stringify(message))
    },
    sayText: events.onMessage,
    accept: (more) => {
      events.onOpen()
      events.onMessage(JSON.stringify({ ...welcome, ...more }))
    },
    close: (code, reason = "") => events.onClose(code, reason),
    closedWith: () => closedWith,
    breakSending: () => {
      broken = true
    },
  }
  const line = {
    send: (wire: string | Uint8Array) => {
      if (broken) throw new Error("cannot send")
      sent.push(JSON.parse(wire as string))
    },
    close: (code: number) => {
      closedWith = code
      // as a line of requests does; others tell it later
      events.onClose(code, "")
    },
    bufferedBytes: () => test.bufferedBytes,
  }
  return { line, test }
}

/** The server's answer to a subscription to the lobby, at offset 0. */
export const subscribed = {
  type: "subscribed",
  channel: "room/lobby",
  alias: 1,
  position: { epoch: "e", offset: 0 },
  top: 0,
  snapshot: false,
} as const

export function moved(offset: number): ServerMessage {
  return { type: "event", alias: 1, offset, at: 0, name: "moved", data: offset }
}
