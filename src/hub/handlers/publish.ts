import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { DeleteState, Publish, SetState } from "../../protocol/message.ts"
import type { Target } from "../channel/target.ts"
import type { Connection } from "../connection/connection.ts"
import type { Logger } from "../ports/logger.ts"
import type { Author, Authors } from "../publish/author.ts"
import { attempt, type Eventual, whenDone } from "../publish/eventual.ts"
import { inputSchema, payloadOf, validated } from "../publish/payload.ts"
import type { Append, Publisher } from "../publish/publisher.ts"
import type { Answers } from "./answers.ts"
import type { Application } from "./application.ts"

export interface PublishHandlerPorts {
  readonly application: Application
  readonly answers: Answers
  readonly publisher: Publisher
  readonly authors: Authors
  readonly logger: Logger
}

/** Appends what clients publish, as the application's handlers let them. */
export class PublishHandler {
  readonly #ports: PublishHandlerPorts

  constructor(ports: PublishHandlerPorts) {
    this.#ports = ports
  }

  publish(connection: Connection, message: Publish): Eventual<void> {
    const { publisher } = this.#ports
    const { name } = message
    return this.#accept(connection, message, "events", (target, value, author) =>
      publisher.event(target, name, value, author),
    )
  }

  set(connection: Connection, message: SetState): Eventual<void> {
    const { publisher } = this.#ports
    const { name, key } = message
    return this.#accept(connection, message, "state", (target, value, author) =>
      publisher.set(target, name, key, value, author),
    )
  }

  delete(connection: Connection, message: DeleteState): Eventual<void> {
    const { application, answers, publisher, authors } = this.#ports
    const { name, key, idempotencyKey } = message
    return answers.append(connection, message, (run) => {
      const target = application.target(message.channel)
      payloadOf(target, "state", name)
      const handler = application.handler(target, "delete", name)
      const what = `delete of state "${name}" of ${target.name}`
      const context = application.context(connection, target, run, { idempotencyKey, key })
      return whenDone(
        application.guarded(what, () => handler(context)),
        (allowed) => {
          if (allowed !== true)
            throw new HoldfastError("not_allowed", `no permission to delete ${name} "${key}"`)
          return publisher.delete(target, name, key, authors.client(connection, message))
        },
      )
    })
  }

  /** Hands what a client has sent to its handler, and what that returns to `ready`. */
  #accept(
    connection: Connection,
    message: Publish | SetState,
    facet: "events" | "state",
    ready: (target: Target, value: unknown, author: Author) => Eventual<Append>,
  ): Eventual<void> {
    const { application, answers, authors } = this.#ports
    const { channel, name, idempotencyKey } = message
    const key = message.type === "set" ? { key: message.key } : undefined
    return answers.append(connection, message, (run) => {
      const target = application.target(channel)
      const payload = payloadOf(target, facet, name)
      const handler = application.handler(target, facet, name)
      const what = `${facet === "events" ? "event" : "state"} "${name}" of ${target.name}`
      // before the handler runs, which may change what it is given
      const author = authors.client(connection, message)
      const handle = (data: unknown) => {
        const context = application.context(connection, target, run, { idempotencyKey, ...key, data })
        return application.guarded(what, () => handler(context))
      }
      const returned = whenDone(validated(what, inputSchema(payload), message.data), handle)
      return whenDone(returned, (value) => this.#own(what, () => ready(target, value, author)))
    })
  }

  /** What the server's own handler returned is not the client's fault when it fails its schema. */
  #own(what: string, ready: () => Eventual<Append>): Eventual<Append> {
    return attempt(ready, (error) => {
      this.#ports.logger.error(`${what}: what the handler returned can't be published`, { error })
      throw new HoldfastError("handler_failed", errorCodes.handler_failed)
    })
  }
}
