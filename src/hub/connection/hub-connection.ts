import type { HoldfastError } from "../../protocol/error.ts"
import type { ChannelSubscription } from "../channel/channel.ts"
import { Outlet } from "../channel/outlet.ts"
import type { Limits } from "../limits.ts"
import type { Entropy } from "../ports/entropy.ts"
import type { Link } from "../ports/link.ts"
import { Connection } from "./connection.ts"
import type { Connections } from "./connections.ts"
import type { Endings } from "./endings.ts"
import { Inbox } from "./inbox.ts"

/** What an adapter does with a connection: it hands in what happens on the wire. */
export interface HubConnection {
  readonly id: string
  /** Whether every subscription stands at its channel's tail. */
  readonly isLive: boolean
  /** Whether every subscription stands at its channel's tail, or waits for a handler of the application. */
  readonly isServed: boolean
  /** Whether it is about to be closed, once it has what is there. */
  readonly isEnding: boolean
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

export interface HubConnectionPorts {
  readonly connections: Connections
  readonly endings: Endings
  readonly entropy: Entropy
  readonly limits: Limits
  /** Gathers what is written to an outlet in this turn. */
  readonly cork: (outlet: Outlet) => void
  /** A message came in, of `bytes` length. */
  readonly receive: (connection: Connection, decoded: unknown, bytes: number) => void
  /** The subscription can be served again. */
  readonly catchUp: (subscription: ChannelSubscription) => void
  readonly removeSubscription: (subscription: ChannelSubscription) => void
  /** The connection has ended. `orderly`: the peer closed it on purpose. */
  readonly handleEnd: (connection: Connection, orderly: boolean) => void
}

export function connect(ports: HubConnectionPorts, link: Link, request: unknown): HubConnection {
  const { connections, endings, entropy, limits } = ports
  const inbox = new Inbox(link, limits.pendingMessagesPerConnectionMax)
  const outlet = new Outlet(link, ports.cork)
  const connection = new Connection(entropy.uniqueId(), endings.number, outlet, inbox, request)
  connections.add(connection)
  return new Driver(ports, connection)
}

/** Leads what happens on the wire to the machines that it concerns. */
class Driver implements HubConnection {
  readonly #ports: HubConnectionPorts
  readonly #connection: Connection

  constructor(ports: HubConnectionPorts, connection: Connection) {
    this.#ports = ports
    this.#connection = connection
  }

  get id(): string {
    return this.#connection.id
  }

  get isLive(): boolean {
    return [...this.#connection.subscriptions.values()].every((each) => each?.state === "live")
  }

  get isServed(): boolean {
    const { state, subscriptions } = this.#connection
    if (state === "ending") return false
    return [...subscriptions.values()].every(
      (each) => each === undefined || each.state === "live" || each.loading,
    )
  }

  get isEnding(): boolean {
    return this.#connection.state === "ending"
  }

  get isWhole(): boolean {
    return [...this.#connection.subscriptions.values()].every((each) => each?.snapshot === undefined)
  }

  handleMessage(decoded: unknown, bytes: number): void {
    this.#ports.receive(this.#connection, decoded, bytes)
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
      if (subscription !== undefined) this.#ports.catchUp(subscription)
    }
  }

  handleClose(orderly: boolean): void {
    const connection = this.#connection
    if (connection.state === "closed") return
    connection.state = "closed"
    connection.cancelHandover?.()
    connection.cancelExpiry?.()
    this.#ports.connections.remove(connection)
    for (const subscription of connection.subscriptions.values()) {
      if (subscription !== undefined) this.#ports.removeSubscription(subscription)
    }
    connection.subscriptions.clear()
    this.#ports.handleEnd(connection, orderly || connection.leaves)
  }
}
