import type { Contract } from "../../src/contract/index.ts"
import type { HubOptions } from "../../src/hub/api/options.ts"
import { createHubCore, type HubCore } from "../../src/hub/hub.ts"
import type { Encoding, Link } from "../../src/hub/ports/link.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import type { CodecName } from "../../src/protocol/codec.ts"
import { json } from "../../src/protocol/json.ts"
import type { ClientMessage, ServerMessage } from "../../src/protocol/message.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { bytesOf, piecesOf } from "../../src/protocol/pieces.ts"
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts"

type Of<T extends ServerMessage["type"]> = Extract<ServerMessage, { type: T }>

/** A client that speaks the protocol message by message. */
export interface Peer {
  readonly received: ServerMessage[]
  /** The number of writes to its link. */
  readonly writes: () => number
  readonly closed: () => { code: number; reason: string } | undefined
  readonly paused: () => boolean
  send(message: ClientMessage | Record<string, unknown>, bytes?: number): void
  all<T extends ServerMessage["type"]>(type: T): Of<T>[]
  last<T extends ServerMessage["type"]>(type: T): Of<T>
  /** Hello, with subscriptions, and what follows from it. */
  hello(...subscriptions: Record<string, unknown>[]): Promise<void>
  /** From now on the link says that it is full. */
  block(): void
  drain(): void
  cut(): void
  leave(): void
}

export interface Rig<C extends Contract, User> {
  readonly clock: VirtualClock
  readonly hub: HubCore<C, User>
  readonly log: Log
  readonly problems: { text: string; fields: Readonly<Record<string, unknown>> }[]
  peer(encoding?: Encoding): Peer
  /** What comes with one request, and is over with it. */
  request(): Peer
}

const separator = "\n"

/** Frames that can be counted: each message is one line of JSON, whatever codec its payloads went through. */
export function lines(name = "lines", codec: CodecName = "json"): Encoding & { readonly made: () => number } {
  let made = 0
  return {
    name,
    codec,
    made: () => made,
    frame: (message) => {
      made++
      const pieces = piecesOf(codec, message)
      const text = codec === "json" ? pieces : [json.encode(msgpack.decode(bytesOf(pieces)))]
      return bytesOf([...text, separator])
    },
    join: (frames) => Buffer.concat(frames),
  }
}

export function rig<C extends Contract, User = undefined>(
  contract: C,
  options: Omit<HubOptions<C, User>, "log" | "logger"> = {},
  log: Log = memoryLog({ epoch: "e1" }),
  clock: VirtualClock = virtualClock(),
): Rig<C, User> {
  const problems: Rig<C, User>["problems"] = []
  const report = (text: string, fields: Readonly<Record<string, unknown>>) => problems.push({ text, fields })
  const hub = createHubCore<C, User, unknown>(
    contract,
    { ...options, logger: { warn: report, error: report } },
    {
      clock,
      entropy: {
        random: () => 0.5,
        uniqueId: () => `id${++ids}`,
        digest: (text) => `digest(${typeof text === "string" ? text : Buffer.from(text).toString("hex")})`,
      },
      log,
    },
  )
  const shared = lines()
  return {
    clock,
    hub,
    log,
    problems,
    peer: (encoding = shared) => peer(hub, clock, encoding, false),
    request: () => peer(hub, clock, shared, true),
  }
}

let sessions = 0
let ids = 0

function peer<C extends Contract, User>(
  hub: HubCore<C, User>,
  clock: VirtualClock,
  encoding: Encoding,
  brief: boolean,
): Peer {
  const received: ServerMessage[] = []
  let writes = 0
  let blocked = false
  let paused = false
  let closed: { code: number; reason: string } | undefined
  const link: Link = {
    encoding,
    brief,
    write: (bytes) => {
      writes++
      const texts = Buffer.from(bytes).toString().split(separator).filter(Boolean)
      received.push(...texts.map((text) => json.decode(text) as ServerMessage))
      return !blocked
    },
    cork: () => {},
    uncork: () => {},
    pause: () => {
      paused = true
    },
    resume: () => {
      paused = false
    },
    close: (code, reason) => {
      closed ??= { code, reason }
      connection.handleClose(true)
    },
    destroy: () => {
      closed ??= { code: 1006, reason: "" }
      connection.handleClose(false)
    },
  }
  const connection = hub.connect(link, {})
  const all = <T extends ServerMessage["type"]>(type: T) =>
    received.filter((message) => message.type === type) as Of<T>[]
  return {
    received,
    writes: () => writes,
    closed: () => closed,
    paused: () => paused,
    send: (message, bytes = 100) => connection.handleMessage(message, bytes),
    all,
    last: (type) => {
      const found = all(type).at(-1)
      if (found === undefined) throw new Error(`no ${type} among ${JSON.stringify(received)}`)
      return found
    },
    hello: async (...subscriptions) => {
      connection.handleMessage(
        { type: "hello", session: `session-${++sessions}-0123456789abcdef`, subscriptions },
        100,
      )
      await clock.settle()
    },
    block: () => {
      blocked = true
    },
    drain: () => {
      blocked = false
      connection.handleDrain()
    },
    cut: () => connection.handleClose(false),
    leave: () => connection.handleClose(true),
  }
}
