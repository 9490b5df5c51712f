import type { Feed } from "./feed.ts"

/** Who is in a channel. Reading subscribes to the channel; entering does not. */
export interface PresenceView<Data, Sent> {
  /** By member: the public name that a client has as `client.member`. Changes in place. */
  readonly members: ReadonlyMap<string, Data>
  /**
   * Enters, or replaces the data that this client entered with. Stays in over reconnects, until `leave` or the end.
   * @throws HoldfastError `not_allowed`, `invalid_payload`, `invalid_value` and others of the server's, `closed`
   */
  readonly enter: (data: Sent) => Promise<void>
  readonly leave: () => Promise<void>
  readonly onChange: (listener: (members: ReadonlyMap<string, Data>) => void) => () => void
}

export interface PresencePorts {
  /** Sends until it is answered. */
  readonly send: (message: PresenceMessage) => Promise<unknown>
  /** Sends once, over the line that is up. */
  readonly repeat: (message: PresenceMessage) => void
}

export type PresenceMessage = { readonly type: "enter"; readonly data: unknown } | { readonly type: "leave" }

export interface OwnPresence {
  readonly view: PresenceView<unknown, unknown>
  readonly close: () => void
}

/** The presence of a channel as `feed` has it, and this client's place in it. */
export function ownPresence(
  feed: Pick<Feed, "read" | "listen">,
  { send, repeat }: PresencePorts,
): OwnPresence {
  /** What the server has taken last. */
  let place: { readonly data: unknown } | undefined
  let asking = 0
  let leaves = 0
  const again = () => {
    if (place) repeat({ type: "enter", data: place.data })
  }
  // presence belongs to a connection: over a new one, enters again; what is not answered yet is sent again by itself
  feed.listen("up", () => {
    if (!asking) again()
  })
  const leave = async () => {
    leaves++
    place = undefined
    await send({ type: "leave" })
  }
  return {
    view: {
      get members() {
        return feed.read().members
      },
      enter: async (data) => {
        const before = leaves
        asking++
        try {
          await send({ type: "enter", data })
          if (leaves === before) place = { data }
        } catch (error) {
          // over another connection, perhaps, than the one that had entered; but not behind one that came later
          if (asking === 1) again()
          throw error
        } finally {
          asking--
        }
      },
      leave,
      onChange: (listener) => feed.listen("members", listener),
    },
    close: () => {
      // nobody is there to be told, and without a connection there is nothing to leave
      if (place || asking) leave().catch(() => {})
    },
  }
}
