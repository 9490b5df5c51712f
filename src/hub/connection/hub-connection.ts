import type { HoldfastError } from "../../protocol/error.ts"
import { Outlet } from "../channel/outlet.ts"
import type { Core } from "../core.ts"
import { receive } from "../handlers/dispatch.ts"
import type { Link } from "../ports/link.ts"
import { Connection } from "./connection.ts"
import { Inbox } from "./inbox.ts"

/** What an adapter does with a connection: it hands in what happens on the wire. */
export interface HubConnection {
  readonly id: string
  /** Whether every subscription stands at its channel's tail. */
  readonly isLive: boolean
  /** Whether no subscription has a snapshot to come, or to be completed. */
  readonly isWhole: boolean
  /** A message that came in, and its length in bytes. */
  readonly handleMessage: (decoded: unknown, bytes: number) => void
  /** Something came in that is no message. The peer is told. */
  readonly handleInvalid: (error: HoldfastError) => void
  /** Something was heard that is no message, such as a pong of the transport. */
  readonly handleAlive: () => void
  /** The link took everything that was written. */
  readonly handleDrain: () => void
  /** The link is gone. `orderly`: the peer closed it on purpose. */
  readonly handleClose: (orderly: boolean) => void
}

export function connect(core: Core, link: Link, request: unknown): HubConnection {
  const inbox = new Inbox(link, core.limits.pendingMessagesPerConnectionMax)
  const connection = new Connection(core.entropy.uniqueId(), new Outlet(link), inbox, request)
  core.connections.add(connection)
  return new Driver(core, connection)
}

/** Leads what happens on the wire to the machines that it concerns. */
class Driver implements HubConnection {
  readonly #core: Core
  readonly #connection: Connection

  constructor(core: Core, connection: Connection) {
    this.#core = core
    this.#connection = connection
  }

  get id(): string {
    return this.#connection.id
  }

  get isLive(): boolean {
    return [...this.#connection.subscriptions.values()].every((each) => each?.state === "live")
  }

  get isWhole(): boolean {
    return [...this.#connection.subscriptions.values()].every((each) => each?.snapshot === undefined)
  }

  handleMessage(decoded: unknown, bytes: number): void {
    receive(this.#core, this.#connection, decoded, bytes)
  }

  handleInvalid(error: HoldfastError): void {
    this.#connection.heard = true
    this.#connection.fail(error)
  }

  handleAlive(): void {
    this.#connection.heard = true
  }

  handleDrain(): void {
    const connection = this.#connection
    connection.heard = true
    connection.outlet.blocked = false
    for (const subscription of connection.subscriptions.values()) {
      if (subscription !== undefined) this.#core.catchUp.enqueue(subscription)
    }
  }

  handleClose(orderly: boolean): void {
    const connection = this.#connection
    if (connection.state === "closed") return
    connection.state = "closed"
    connection.cancelHandover?.()
    this.#core.connections.remove(connection)
    for (const subscription of connection.subscriptions.values()) {
      if (subscription !== undefined) this.#core.channels.remove(subscription)
    }
    connection.subscriptions.clear()
    this.#core.members.release(connection, orderly)
  }
}
