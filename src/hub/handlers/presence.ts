import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Leave, PresenceRequest } from "../../protocol/message.ts"
import type { Connection } from "../connection/connection.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Members } from "../presence/members.ts"
import { bodyOf, inputSchema, outputSchema, validated } from "../publish/payload.ts"
import type { Answers } from "./answers.ts"
import type { Application } from "./application.ts"

/** What a hello carries has no id, and is answered only if it is refused. */
type EnterRequest = PresenceRequest & { readonly id?: number }

export interface PresenceHandlerPorts {
  readonly application: Application
  readonly answers: Answers
  readonly members: Members
  readonly clock: Clock
  readonly limits: Limits
}

/** Lets clients enter the presence of channels, as the application's handlers let them. */
export class PresenceHandler {
  readonly #ports: PresenceHandlerPorts

  constructor(ports: PresenceHandlerPorts) {
    this.#ports = ports
  }

  async enter(connection: Connection, message: EnterRequest): Promise<void> {
    const { application, answers, members, limits } = this.#ports
    try {
      const target = application.target(message.channel)
      const payload = target.match.definition.presence
      if (payload === undefined)
        throw new HoldfastError("unknown_name", `channel ${target.match.pattern} declares no presence`)
      const handler = application.handlers(target).presence
      if (handler === undefined)
        throw new HoldfastError(
          "not_allowed",
          `clients may not enter the presence of ${target.match.pattern}`,
        )
      const what = `presence of ${target.name}`
      connection.entering ??= new Set()
      connection.entering.add(target.name)
      const data = await validated(what, inputSchema(payload), message.data)
      const context = application.context(connection, target, { data })
      const value = await application.guarded(what, () => handler(context))
      const body = await bodyOf(what, outputSchema(payload), value, { bytesMax: limits.messageBytesMax })
      this.#checkCount(connection, target.name)
      // the handler may have been asked before it could know
      if (!endEntering(connection, target.name)) throw new HoldfastError("revoked", errorCodes.revoked)
      await members.enter(target, connection, body)
      if (message.id !== undefined) connection.send({ type: "result", id: message.id })
    } catch (error) {
      endEntering(connection, message.channel)
      if (connection.isBrief && message.id === undefined && isPassing(error))
        this.#tryAgain(connection, message)
      else answers.refuse(connection, message, error)
    }
  }

  async leave(connection: Connection, message: Leave): Promise<void> {
    const { application, answers, members } = this.#ports
    try {
      await members.leave(application.target(message.channel), connection)
      connection.send({ type: "result", id: message.id })
    } catch (error) {
      answers.refuse(connection, message, error)
    }
  }

  /** The user may not be present any more. */
  revoke(connection: Connection, channel: string): void {
    const { application, members } = this.#ports
    connection.entering?.delete(channel)
    if (connection.entered?.has(channel) !== true) return
    members.leave(application.target(channel), connection).catch(() => {
      // tried again by itself
    })
  }

  /** The client would ask again only with its next request, which may be long in coming. */
  #tryAgain(connection: Connection, message: EnterRequest): void {
    const { clock, limits } = this.#ports
    clock.after(limits.retryMs, () => {
      if (connection.state === "closed") return
      connection.inbox.run(message.channel, () => this.enter(connection, message))
    })
  }

  /** What is held for a connection has to have an end, and it may enter what it has not subscribed to. */
  #checkCount({ entered }: Connection, channel: string): void {
    const limit = this.#ports.limits.subscriptionsPerConnectionMax
    if (entered === undefined || entered.size < limit || entered.has(channel)) return
    const text = `a connection may be present in ${limit} channels`
    throw new HoldfastError("too_many_subscriptions", text, { limit })
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof HoldfastError && (error.code === "log_unavailable" || error.code === "in_doubt")
}

/** The handler is not asked any more. Whether that was not revoked meanwhile. */
function endEntering(connection: Connection, channel: string): boolean {
  const isGranted = connection.entering?.delete(channel) === true
  if (connection.entering?.size === 0) connection.entering = undefined
  return isGranted
}
