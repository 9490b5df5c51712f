import type { Transport, Wire } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import type { InjectedBug } from "../injected-bug.ts"

/** A message, as far as bugs look at it. */
interface Message {
  readonly type: string
  readonly alias?: number
  readonly last?: boolean
  readonly collections?: readonly string[]
  readonly to?: object
  readonly idempotencyKey?: string
  readonly subscriptions?: readonly Request[]
}

interface Request {
  readonly channel: string
  readonly position?: object
}

type Pass = (message: Message) => readonly Message[]

interface Passes {
  /** What becomes of a message of the client's, and of one of the server's. Absent: it passes. */
  readonly up?: Pass
  readonly down?: Pass
}

/** The entry that comes right behind every fifth snapshot is lost. */
export function losesTheEntryBetweenSnapshotAndLive(): InjectedBug {
  let snapshots = 0
  return bends(() => {
    const complete = new Set<number | undefined>()
    return {
      down: (message) => {
        const isEnd = message.type === "snapshot" && message.last === true
        if (isEnd && ++snapshots % 5 === 0) complete.add(message.alias)
        else if (ENTRIES.has(message.type) && complete.delete(message.alias)) return []
        return [message]
      },
    }
  })
}

/** Goes on behind a gap without telling of it. */
export function swallowsAGap(): InjectedBug {
  return bends(() => ({ down: (message) => (message.type === "gap" ? [] : [message]) }))
}

/** A gap names another collection than the one that lacks something. */
export function namesTheWrongCollection(): InjectedBug {
  return bendsGaps((collections) => collections.map((name) => (name === "events" ? "state/value" : "events")))
}

/** A gap of several collections names all but the first; one of one collection does not arrive. */
export function omitsACollection(): InjectedBug {
  return bendsGaps((collections) => collections.slice(1))
}

/** A gap of some collections leads to its end, though the others retain entries before that. */
export function leadsAGapTooFar(): InjectedBug {
  return bends(() => ({
    down: (message) => {
      if (message.type !== "gap" || message.collections === undefined) return [message]
      return [{ ...message, position: message.to } as Message]
    },
  }))
}

/** A snapshot that begins again keeps what it had before. */
export function keepsPartsOfARestart(): InjectedBug {
  return bends(() => ({
    down: (message) => {
      if (message.type !== "snapshot") return [message]
      const { restarts: _, ...part } = message as Message & { readonly restarts?: true }
      return [part]
    },
  }))
}

/** What was sent is done with: over the next line, only what is new is sent. */
export function forgetsToResend(): InjectedBug {
  return bendsWhatIsSentAgain(() => [])
}

/** What is sent again gets a key of its own. */
export function resendsUnderAnotherKey(): InjectedBug {
  return bendsWhatIsSentAgain((message) => [
    { ...message, idempotencyKey: `${message.idempotencyKey}-again` },
  ])
}

/** A client that comes back with a position starts at the tail, and is told that it starts where it stood. */
export function resumesAtTheTail(): InjectedBug {
  return bends(() => {
    const asked = new Map<string, object>()
    const forget = ({ position, ...request }: Request): Request => {
      if (position !== undefined) asked.set(request.channel, position)
      return request
    }
    return {
      up: (message) => {
        if (message.type === "subscribe") return [forget(message as Message & Request) as Message & Request]
        if (message.subscriptions === undefined) return [message]
        return [{ ...message, subscriptions: message.subscriptions.map(forget) }]
      },
      down: (message) => {
        const position =
          message.type === "subscribed" ? asked.get((message as Message & Request).channel) : undefined
        return [position === undefined ? message : ({ ...message, position } as Message)]
      },
    }
  })
}

/** A deletion does not arrive. */
export function keepsADeletedKey(): InjectedBug {
  return bends(() => ({ down: (message) => (message.type === "delete" ? [] : [message]) }))
}

/** Every hundredth event is overtaken by the next one. */
export function swapsTwoEvents(): InjectedBug {
  let count = 0
  return bends(() => {
    let held: Message | undefined
    return {
      down: (message) => {
        if (message.type !== "event") return [message]
        if (++count % 100 === 0) {
          held = message
          return []
        }
        const passing = held === undefined ? [message] : [message, held]
        held = undefined
        return passing
      },
    }
  })
}

/** To be sure, asks twice. */
export function sendsACallTwice(): InjectedBug {
  return bends(() => ({ up: (message) => (message.type === "call" ? [message, message] : [message]) }))
}

/** Of gaps that name collections. */
function bendsGaps(changed: (collections: readonly string[]) => readonly string[]): InjectedBug {
  return bends(() => ({
    down: (message) => {
      if (message.type !== "gap" || message.collections === undefined) return [message]
      const collections = changed(message.collections)
      return collections.length === 0 ? [] : [{ ...message, collections }]
    },
  }))
}

const ENTRIES: ReadonlySet<string> = new Set(["event", "set", "delete", "join", "left"])

/** Over another line than the first time. */
function bendsWhatIsSentAgain(again: Pass): InjectedBug {
  const sent = new Map<string, object>()
  return bends((line) => ({
    up: (message) => {
      const { idempotencyKey: key } = message
      if (key === undefined) return [message]
      const first = sent.get(key) ?? line
      sent.set(key, first)
      return first === line ? [message] : again(message)
    },
  }))
}

/** @param passes is made for each line */
function bends(passes: (line: object) => Passes): InjectedBug {
  return {
    transport: ({ open }: Transport): Transport => ({
      open: (url, events) => {
        const { up = pass, down = pass } = passes(events)
        const line = open(url, {
          ...events,
          onMessage: (wire) => {
            for (const each of down(decode(wire))) events.onMessage(encode(each, wire))
          },
        })
        return {
          ...line,
          send: (wire) => {
            for (const each of up(decode(wire))) line.send(encode(each, wire))
          },
        }
      },
    }),
  }
}

function pass(message: Message): readonly Message[] {
  return [message]
}

function decode(wire: Wire): Message {
  return (typeof wire === "string" ? JSON.parse(wire) : msgpack.decode(wire)) as Message
}

/** The same codec as `like`. */
function encode(message: Message, like: Wire): Wire {
  return typeof like === "string" ? JSON.stringify(message) : msgpack.encode(message)
}
