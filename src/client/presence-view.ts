import { HoldfastError } from "../protocol/error.ts"
import { NEVER_MS } from "./clock.ts"
import type { Feed } from "./feed.ts"
import type { Member } from "./members.ts"

/** Who is in a channel. Reading subscribes to the channel; entering does not. */
export interface PresenceView<Data, Sent> {
  /** By member: the public name that a client has as `client.member`. Changes in place. */
  readonly members: ReadonlyMap<string, Data>
  /** The same by the id of the user, or by the member where the user has none; then by member. */
  readonly users: ReadonlyMap<string, ReadonlyMap<string, Data>>
  /**
   * Enters, or replaces the data that this client entered with. Stays in over reconnects, until `leave` or the end. When it is
   * refused, this client is in the channel as it was before.
   * @throws HoldfastError `not_allowed`, `invalid_payload`, `invalid_value`, `quota_exceeded` and others of the server's, `closed`;
   * `superseded` when something else was asked for since
   */
  readonly enter: (data: Sent) => Promise<void>
  readonly leave: () => Promise<void>
  readonly onChange: (listener: (members: ReadonlyMap<string, Data>) => void) => () => void
  readonly onJoin: (listener: (member: Member<Data>) => void) => () => void
  readonly onLeave: (listener: (member: Member<Data>) => void) => () => void
  /** Its data is another. */
  readonly onUpdate: (listener: (member: Member<Data>, before: Member<Data>) => void) => () => void
}

export interface PresencePorts {
  /**
   * Sends until it is answered, and makes the message anew each time. `limit`: how many messages may wait for their answers, unless it
   * is as many as usual.
   */
  readonly send: (make: () => object, limit?: number) => Promise<unknown>
  /** The server's time, in ms since 1970. */
  readonly nowMs: () => number
  /** Asks again after a while, over whichever line is up then. */
  readonly later: (ask: () => void) => void
  /** Told what no promise tells. */
  readonly handleError: (error: HoldfastError) => void
}

/** What this client is in with. */
interface Place {
  readonly data: unknown
}

export interface OwnPresence {
  readonly view: PresenceView<unknown, unknown>
  /** Leaves, if it is in. Resolves when that is settled. */
  readonly close: () => Promise<void>
  /** Another one goes on in its place. */
  readonly retire: () => Retired
}

/** What is to be known of one that was closed. */
interface Retired {
  readonly lastVersion: number
  /** It may not have left yet. */
  readonly inDoubt: boolean
}

/**
 * The presence of a channel as `feed` has it, and this client's place in it.
 * @param before the one of the same channel that was closed, if it has not left yet
 */
export function ownPresence(
  feed: Pick<Feed, "read" | "listen" | "refuseWhenClosed" | "subscription">,
  { send, nowMs, later, handleError }: PresencePorts,
  before?: OwnPresence,
): OwnPresence {
  const { subscription } = feed
  /** What the server has let this client in with. */
  let place: Place | undefined
  /** The server has said no, which counts for the connection. */
  let isRefused = false
  /** Something may have been taken though it was not answered so. */
  let { inDoubt, lastVersion } = before?.retire() ?? { inDoubt: false, lastVersion: 0 }
  /** How far the server's clock is off from what the welcome said. */
  let offMs = 0
  /** What was asked for is numbered: the last, the last if it is not answered yet, the last that was taken, and the last leave. */
  let asked = 0
  let pending = 0
  let taken = 0
  let left = 0
  /** Another one goes on in its place, so it asks for nothing any more. */
  let isRetired = false

  const stamp = () => {
    lastVersion = Math.max(Math.floor(nowMs() + offMs), lastVersion + 1)
    return lastVersion
  }
  const learn = ({ code, version }: HoldfastError) => {
    if (!version) return
    if (code === "superseded") lastVersion = Math.max(lastVersion, version - 1)
    else {
      lastVersion = version
      offMs = version - nowMs()
    }
  }
  /** Asks to be in, or out, until it is answered for good, unless something else is asked for meanwhile. */
  const ask = async (wanted?: Place, limit?: number) => {
    const turn = ++asked
    pending = turn
    if (!wanted) {
      left = turn
      place = undefined
    }
    const message = wanted ? { type: "enter", data: wanted.data } : { type: "leave" }
    let version = stamp()
    try {
      for (let tries = 0; ; tries++) {
        try {
          await send(() => {
            // sent again it counts, and not what is still on its way; unless something else was asked for since
            if (turn === asked) version = stamp()
            return { ...message, version }
          }, limit)
          inDoubt = false
          if (turn > taken && turn >= left) place = wanted
          taken = Math.max(taken, turn)
          return
        } catch (thrown) {
          const error = thrown as HoldfastError
          learn(error)
          inDoubt ||= error.code === "in_doubt"
          if (!isPassing(error)) throw error
          if (turn === asked && (tries || !error.version)) await new Promise<void>(later)
          if (turn !== asked) throw new HoldfastError("superseded", "Something else was asked for since")
        }
      }
    } finally {
      if (pending === turn) pending = 0
    }
  }
  /** Says again where it stands. */
  const again = () => {
    if (!pending && !isRetired && (place || inDoubt))
      ask(place, NEVER_MS).catch((error) => isPassing(error) || refuse(error))
  }
  const refuse = (error: HoldfastError) => {
    isRefused = true
    if (error.code !== "closed") handleError(error)
  }
  // presence belongs to a connection: over a new one, enters again; what is not answered yet is sent again by itself
  feed.listen("up", () => {
    isRefused = false
    offMs = 0
    again()
  })
  feed.listen("removed", (error) => {
    learn(error)
    // what was asked for since has an answer of its own
    if (pending) return
    if (isPassing(error)) again()
    else refuse(error)
  })
  if (inDoubt) later(again)
  subscription.place = () =>
    place && !pending && !isRefused ? { data: place.data, version: stamp() } : undefined
  return {
    view: {
      get members() {
        return feed.read().members.data
      },
      get users() {
        return feed.read().members.users
      },
      enter: async (data) => {
        feed.refuseWhenClosed()
        isRefused = false
        try {
          await ask({ data })
        } catch (error) {
          again()
          throw error
        }
      },
      leave: async () => {
        feed.refuseWhenClosed()
        await ask()
      },
      onChange: (listener) => feed.listen("members", listener),
      onJoin: (listener) => feed.listen("join", listener),
      onLeave: (listener) => feed.listen("left", listener),
      onUpdate: (listener) => feed.listen("update", listener),
    },
    close: async () => {
      // the caller has gone, and without a connection there is nothing to leave
      if (place || pending || inDoubt) await ask(undefined, NEVER_MS).catch(() => {})
    },
    retire: () => {
      asked++
      isRetired = true
      return { lastVersion, inDoubt: pending > 0 || inDoubt }
    },
  }
}

/** Whether the same may be taken another time, or with another version. */
function isPassing({ code }: HoldfastError): boolean {
  return /^(log_unavailable|in_doubt|superseded|version_ahead)$/.test(code)
}
