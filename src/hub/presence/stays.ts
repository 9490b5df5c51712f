/** How long the other nodes have to say that a client comes to them now, in ms. */
export const ASK_MS = 500

/** How long a member stays whose requests are over: one more has to come within this time. */
interface Stay {
  /** Requests that carry it and are still being answered, by their connection's id. */
  readonly open: Set<string>
  cancel: () => void
}

/** What stays need of presence around them. */
export interface StaysPorts {
  readonly leaseMs: number
  /** Runs `task` later. Returns how to cancel it. */
  readonly later: (ms: number, task: () => void) => () => void
  /** The lease is over. */
  readonly depart: (channel: string, member: string) => void
}

/**
 * Members of clients that come with one request after the other: while one is open, and for a lease after the last, a
 * member stays where its requests say that it is.
 */
export class Stays {
  readonly #ports: StaysPorts
  readonly #stays = new Map<string, Stay>()

  constructor(ports: StaysPorts) {
    this.#ports = ports
  }

  /** A request says that the member is there. `request`: one that is open, and that `end` will follow for. */
  renew(channel: string, member: string, request: string | undefined): void {
    const id = idOf(channel, member)
    let stay = this.#stays.get(id)
    if (stay === undefined) {
      stay = { open: new Set(), cancel: () => {} }
      this.#stays.set(id, stay)
    }
    if (request !== undefined) stay.open.add(request)
    this.#wait(channel, member, stay)
  }

  /** The request is over. It may be one of a stay that was forgotten, and none of the one that has begun since. */
  end(channel: string, member: string, request: string): void {
    const stay = this.#stays.get(idOf(channel, member))
    if (stay?.open.delete(request)) this.#wait(channel, member, stay)
  }

  has(channel: string, member: string): boolean {
    return this.#stays.has(idOf(channel, member))
  }

  /** The member is there no more, or is somebody else's. */
  forget(channel: string, member: string): void {
    this.#stays.get(idOf(channel, member))?.cancel()
    this.#stays.delete(idOf(channel, member))
  }

  #wait(channel: string, member: string, stay: Stay): void {
    stay.cancel()
    if (stay.open.size > 0) return
    stay.cancel = this.#ports.later(this.#ports.leaseMs, () => {
      this.#stays.delete(idOf(channel, member))
      this.#ports.depart(channel, member)
    })
  }
}

/** A member's name has no line break in it. */
function idOf(channel: string, member: string): string {
  return `${member}\n${channel}`
}
