import { parseClientMessage } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { ClientMessage } from "../../protocol/message.ts"
import { type Connection, expire } from "../connection/connection.ts"
import type { Clock } from "../ports/clock.ts"
import type { CallHandler } from "./call.ts"
import type { HelloHandler } from "./hello.ts"
import type { PresenceHandler } from "./presence.ts"
import type { PublishHandler } from "./publish.ts"
import type { SignalHandler } from "./signal.ts"
import type { SubscribeHandler } from "./subscribe.ts"

export interface DispatcherPorts {
  readonly clock: Clock
  readonly messageBytesMax: number
  readonly hello: HelloHandler
  readonly subscriptions: SubscribeHandler
  readonly publishing: PublishHandler
  readonly signals: SignalHandler
  readonly calls: CallHandler
  readonly presence: PresenceHandler
}

/** No channel has an empty name. */
const HELLO_QUEUE = ""

type Handle<T extends ClientMessage["type"]> = (
  connection: Connection,
  message: Extract<ClientMessage, { readonly type: T }>,
) => void | Promise<void>

type QueueHandlers = { readonly [T in ClientMessage["type"]]?: Handle<T> }

/** Takes decoded messages through the checks to their handlers. */
export class Dispatcher {
  readonly #ports: DispatcherPorts
  /** Messages of one channel are handled in the order sent, channels independently of each other. */
  readonly #queueHandlers: QueueHandlers

  constructor(ports: DispatcherPorts) {
    this.#ports = ports
    const { publishing, signals, subscriptions, presence } = ports
    this.#queueHandlers = {
      publish: (connection, message) => publishing.publish(connection, message),
      set: (connection, message) => publishing.set(connection, message),
      delete: (connection, message) => publishing.delete(connection, message),
      signal: (connection, message) => signals.signal(connection, message),
      subscribe: (connection, message) => subscriptions.subscribe(connection, message),
      unsubscribe: (connection, message) => subscriptions.unsubscribe(connection, message),
      enter: (connection, message) => presence.enter(connection, message),
      leave: (connection, message) => presence.leave(connection, message),
    }
  }

  /** One decoded message of `bytes` length. */
  receive(connection: Connection, decoded: unknown, bytes: number): void {
    connection.heard = true
    if (connection.state === "closed" || connection.state === "ending") return
    if (connection.expiresAt <= this.#ports.clock.now()) {
      expire(connection)
      return
    }
    let message: ClientMessage
    try {
      const limit = this.#ports.messageBytesMax
      if (bytes > limit)
        throw new HoldfastError("message_too_large", `${bytes} bytes, the limit is ${limit}`, { limit })
      message = parseClientMessage(decoded)
    } catch (error) {
      connection.fail(error as HoldfastError, { id: idOf(decoded) })
      return
    }
    if (connection.state === "open") this.#dispatch(connection, message)
    else this.#beforeOpen(connection, message)
  }

  /** Before a client was let in, only hello has a meaning. What follows it at once waits in the hello's queue. */
  #beforeOpen(connection: Connection, message: ClientMessage): void {
    if (message.type === "hello" && connection.state === "new") {
      connection.inbox.run(HELLO_QUEUE, () => this.#ports.hello.hello(connection, message))
      return
    }
    if (connection.state === "authenticating") {
      connection.inbox.run(HELLO_QUEUE, () => {
        if (connection.state === "open") this.#dispatch(connection, message)
      })
      return
    }
    connection.fail(new HoldfastError("hello_expected", `hello was expected, ${message.type} came`))
    connection.close("protocolError", "hello_expected")
  }

  #dispatch(connection: Connection, message: ClientMessage): void {
    const { inbox } = connection
    const { hello, calls } = this.#ports
    if (message.type === "pong") return
    if (message.type === "ping") {
      connection.send({ type: "pong" })
    } else if (message.type === "call") {
      inbox.runBeside(() => calls.call(connection, message))
    } else if (message.type === "token") {
      inbox.run(HELLO_QUEUE, () => hello.token(connection, message))
    } else if (message.type === "hello") {
      connection.fail(new HoldfastError("invalid_message", "hello came twice", { path: "type" }))
      connection.close("protocolError", "hello came twice")
    } else {
      const handle = this.#queueHandlers[message.type] as Handle<ClientMessage["type"]>
      inbox.run(message.channel, () => handle(connection, message))
    }
  }
}

/** The id of a message that is refused before it is understood, so that its sender's promise settles. */
function idOf(decoded: unknown): number | undefined {
  const id = (decoded as { id?: unknown } | null)?.id
  return Number.isSafeInteger(id) ? (id as number) : undefined
}
