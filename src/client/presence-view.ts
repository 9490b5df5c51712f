import type { HoldfastError } from "../protocol/error.ts"
import { NEVER_MS } from "./clock.ts"
import type { Feed } from "./feed.ts"

/** Who is in a channel. Reading subscribes to the channel; entering does not. */
export interface PresenceView<Data, Sent> {
  /** By member: the public name that a client has as `client.member`. Changes in place. */
  readonly members: ReadonlyMap<string, Data>
  /**
   * Enters, or replaces the data that this client entered with. Stays in over reconnects, until `leave` or the end. When it is
   * refused, this client is in the channel as it was before.
   * @throws HoldfastError `not_allowed`, `invalid_payload`, `invalid_value` and others of the server's, `closed`; `superseded` when
   * something else was asked for since
   */
  readonly enter: (data: Sent) => Promise<void>
  readonly leave: () => Promise<void>
  readonly onChange: (listener: (members: ReadonlyMap<string, Data>) => void) => () => void
}

export interface PresencePorts {
  /** Sends until it is answered. `limit`: how many messages may wait for their answers, unless it is as many as usual. */
  readonly send: (message: PresenceMessage, limit?: number) => Promise<unknown>
  /** Asks again after a while, over whichever line is up then. */
  readonly later: (ask: () => void) => void
  readonly handleError: (error: unknown) => void
}

export type PresenceMessage = { readonly type: "enter"; readonly data: unknown } | { readonly type: "leave" }

export interface OwnPresence {
  readonly view: PresenceView<unknown, unknown>
  readonly close: () => void
}

/** The presence of a channel as `feed` has it, and this client's place in it. */
export function ownPresence(
  feed: Pick<Feed, "read" | "listen" | "subscription">,
  { send, later, handleError }: PresencePorts,
): OwnPresence {
  const { subscription } = feed
  let asking = 0
  let asked = 0
  let leaves = 0
  const sendUntilTaken = async (data: unknown, limit?: number): Promise<void> => {
    const turn = ++asked
    for (;;) {
      try {
        await send({ type: "enter", data }, limit)
        return
      } catch (error) {
        const isLast = () => (error as HoldfastError).code === "superseded" && turn === asked
        // another line counts, which is yet to let us in, or never does; what was asked for since would be undone
        if (isLast()) await new Promise<void>(later)
        if (!isLast()) throw error
      }
    }
  }
  const ask = async (data: unknown, limit?: number) => {
    const before = leaves
    asking++
    try {
      await sendUntilTaken(data, limit)
      if (leaves === before) subscription.place = { data }
    } finally {
      asking--
    }
  }
  /** Says again where it stands. `mayBeIn`: what was refused in the end may have been taken when it was sent first. */
  const again = (mayBeIn?: boolean) => {
    const { place } = subscription
    if (asking || !(place || mayBeIn)) return
    const saying = place ? ask(place.data, NEVER_MS) : send({ type: "leave" }, NEVER_MS)
    saying.catch((error) => {
      if (isPassing(error)) later(() => again(mayBeIn))
      else handleError(error)
    })
  }
  // presence belongs to a connection: over a new one, enters again; what is not answered yet is sent again by itself
  feed.listen("up", () => again())
  const leave = async (limit?: number) => {
    leaves++
    asked++
    subscription.place = undefined
    await send({ type: "leave" }, limit)
  }
  return {
    view: {
      get members() {
        return feed.read().members
      },
      enter: async (data) => {
        try {
          await ask(data)
        } catch (error) {
          // over another connection, perhaps, than the one that had entered; but not behind one that came later
          again(isPassing(error))
          throw error
        }
      },
      leave: () => leave(),
      onChange: (listener) => feed.listen("members", listener),
    },
    close: () => {
      // nobody is there to be told, and without a connection there is nothing to leave
      if (subscription.place || asking) leave(NEVER_MS).catch(() => {})
    },
  }
}

/** Whether the same may be taken another time. */
function isPassing(error: unknown): boolean {
  return /^(log_unavailable|in_doubt|superseded)$/.test((error as HoldfastError).code)
}
