import type { Connection } from "../connection/connection.ts"

/** A member as this node wants the log to have it, and the connection that asked for it last. */
export interface Place {
  /** The version that its client gave it. */
  readonly asked: number
  /** Of the member in the log. Higher, if this node has put it again since. */
  readonly version: number
  /** Of the member's entry. */
  readonly body: Uint8Array
  /** The id of its user, if that has one. */
  readonly user: string | undefined
  /** The connection's id. */
  owner: string
  /** Only while it is open, as a place may outlive its connection. */
  connection: Connection | undefined
  /** Whether its client comes with requests. */
  isBrief: boolean
}

/** The places of this node, by channel and member. */
export class Places {
  readonly #channels = new Map<string, Map<string, Place>>()

  find(channel: string, member: string): Place | undefined {
    return this.#channels.get(channel)?.get(member)
  }

  set(channel: string, member: string, place: Place): void {
    const members = this.#channels.get(channel)
    if (members === undefined) this.#channels.set(channel, new Map([[member, place]]))
    else members.set(member, place)
  }

  delete(channel: string, member: string): void {
    const members = this.#channels.get(channel)
    members?.delete(member)
    if (members?.size === 0) this.#channels.delete(channel)
  }

  has(channel: string): boolean {
    return this.#channels.has(channel)
  }

  /** As they are now. */
  of(channel: string): [member: string, Place][] {
    return [...(this.#channels.get(channel) ?? [])]
  }

  /** As they are now. */
  all(): { readonly channel: string; readonly member: string; readonly place: Place }[] {
    return [...this.#channels].flatMap(([channel, members]) =>
      [...members].map(([member, place]) => ({ channel, member, place })),
    )
  }
}
