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

type Members = ReadonlyMap<string, unknown>

export interface PresencePorts {
  /** The members as they are now. Subscribes. */
  readonly members: () => Members
  /** Sends until it is answered. */
  readonly send: (message: PresenceMessage) => Promise<unknown>
  /** Sends once, over the line that is up. */
  readonly repeat: (message: PresenceMessage) => void
  readonly listen: (listener: (members: Members) => void) => () => void
}

export type PresenceMessage = { readonly type: "enter"; readonly data: unknown } | { readonly type: "leave" }

export interface OwnPresence {
  readonly view: PresenceView<unknown, unknown>
  /** Presence belongs to a connection: over a new one, enters again. */
  readonly handleUp: () => void
  readonly close: () => void
}

export function ownPresence({ members, send, repeat, listen }: PresencePorts): OwnPresence {
  let place: { readonly data: unknown; taken: boolean } | undefined
  const leave = async () => {
    place = undefined
    await send({ type: "leave" })
  }
  return {
    view: {
      get members() {
        return members()
      },
      enter: async (data) => {
        const before = place
        const mine = { data, taken: false }
        place = mine
        try {
          await send({ type: "enter", data })
          mine.taken = true
        } catch (error) {
          if (place === mine) place = before
          throw error
        }
      },
      leave,
      onChange: listen,
    },
    // one that is not answered yet is sent again by itself
    handleUp: () => {
      if (place?.taken) repeat({ type: "enter", data: place.data })
    },
    close: () => {
      // nobody is there to be told, and without a connection there is nothing to leave
      if (place !== undefined) leave().catch(() => undefined)
    },
  }
}
