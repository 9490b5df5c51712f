import type { Payload } from "../../contract/index.ts"
import { decodeBody, encodeBody } from "../../protocol/body.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Leave, PresenceRequest } from "../../protocol/message.ts"
import type { Target } from "../channel/target.ts"
import type { Connection } from "../connection/connection.ts"
import type { Endings } from "../connection/endings.ts"
import type { Limits } from "../limits.ts"
import { isPassing, type Members } from "../presence/members.ts"
import { bodyOf, inputSchema, outputSchema, validated } from "../publish/payload.ts"
import type { Answers } from "./answers.ts"
import type { Application, Handler } from "./application.ts"
import type { HandlerDeadline, HandlerRun } from "./handler-deadline.ts"

/** What a hello carries has no id, and is answered only if it is refused. */
type EnterRequest = PresenceRequest & { readonly id?: number }

export interface PresenceHandlerPorts {
  readonly application: Application
  readonly answers: Answers
  readonly deadline: HandlerDeadline
  readonly endings: Endings
  readonly members: Members
  readonly limits: Limits
}

/** Lets clients enter the presence of channels, as the application's handlers let them. */
export class PresenceHandler {
  readonly #ports: PresenceHandlerPorts

  constructor(ports: PresenceHandlerPorts) {
    this.#ports = ports
  }

  async enter(connection: Connection, message: EnterRequest): Promise<void> {
    const { application, answers, members } = this.#ports
    const { channel, version, id } = message
    const before = connection.entered?.get(channel)
    let hasBegun = false
    try {
      const target = application.target(channel)
      const [payload, handler] = this.#declared(target)
      await members.check(channel, connection, version)
      this.#begin(connection, channel, encodeBody(message.data))
      hasBegun = true
      const data = await this.#admitted(connection, target, payload, handler, message.data)
      await members.enter(channel, connection, data, version)
      if (id !== undefined) connection.send({ type: "result", id })
    } catch (error) {
      if (id !== undefined) answers.refuse(connection, { id, channel }, error)
      // revoked while the handler ran, which the client knows
      if (hasBegun && connection.entered?.has(channel) !== true) return
      const current = members.versionOf(channel, connection)
      if (id === undefined && current !== version) this.#sendRemoved(connection, channel, error)
      // otherwise it enters as soon as the log takes it
      if (current !== version && before !== undefined) connection.entered?.set(channel, before)
      else if (current === undefined) connection.entered?.delete(channel)
    }
  }

  async leave(connection: Connection, message: Leave): Promise<void> {
    const { application, answers, members } = this.#ports
    const { channel, version, id } = message
    try {
      const { definition } = application.target(channel).match
      if (definition.presence !== undefined) await members.leave(channel, connection, version)
      connection.entered?.delete(channel)
      connection.send({ type: "result", id })
    } catch (error) {
      answers.refuse(connection, message, error)
    }
  }

  /** Asks again whether the client may be present, with the data that it entered with, and removes it if not. */
  async reauthorize(connection: Connection, channel: string): Promise<void> {
    const { application, members } = this.#ports
    const input = connection.entered?.get(channel)
    if (input === undefined) return
    try {
      const target = application.target(channel)
      const [payload, handler] = this.#declared(target)
      const data = await this.#admitted(connection, target, payload, handler, decodeBody(input))
      await members.update(channel, connection, data)
    } catch (error) {
      // it is as it was, or as it should be soon
      if (!isPassing(error)) this.#end(connection, channel, error)
    }
  }

  /** The client may not be present any more, nor enter again over this connection. */
  revoke(connection: Connection, channel: string, error: HoldfastError): void {
    connection.revoked ??= new Set()
    connection.revoked.add(channel)
    this.#end(connection, channel, error)
  }

  #end(connection: Connection, channel: string, error: unknown): void {
    if (connection.entered?.delete(channel) !== true) return
    this.#ports.members.remove(channel, connection.member, connection.id)
    this.#sendRemoved(connection, channel, error)
  }

  /** @throws HoldfastError `unknown_name`, `not_allowed` */
  #declared(target: Target): [Payload, Handler] {
    const { pattern, definition } = target.match
    if (definition.presence === undefined)
      throw new HoldfastError("unknown_name", `channel ${pattern} declares no presence`)
    const handler = this.#ports.application.handlers(target).presence
    if (handler === undefined)
      throw new HoldfastError("not_allowed", `clients may not enter the presence of ${pattern}`)
    return [definition.presence, handler]
  }

  /** What others see of the client, as the handler has it. */
  async #admitted(
    connection: Connection,
    target: Target,
    payload: Payload,
    handler: Handler,
    input: unknown,
  ): Promise<Uint8Array> {
    const { application, deadline, endings, limits } = this.#ports
    const what = `presence of ${target.name}`
    const admit = async (run: HandlerRun) => {
      const data = await validated(what, inputSchema(payload), input)
      const context = application.context(connection, target, run, { data })
      const value = await application.guarded(what, () => handler(context))
      return bodyOf(what, outputSchema(payload), value, { bytesMax: limits.messageBytesMax })
    }
    const body = await deadline.run(what, admit)
    endings.check(connection)
    return body
  }

  /** What is held for a connection has to have an end, and it may enter what it has not subscribed to. */
  #begin(connection: Connection, channel: string, input: Uint8Array): void {
    const limit = this.#ports.limits.subscriptionsPerConnectionMax
    connection.entered ??= new Map()
    if (connection.entered.size >= limit && !connection.entered.has(channel)) {
      const text = `a connection may be present in ${limit} channels`
      throw new HoldfastError("too_many_subscriptions", text, { limit })
    }
    connection.entered.set(channel, input)
  }

  #sendRemoved(connection: Connection, channel: string, error: unknown): void {
    const { code, message, version } = this.#ports.answers.refusal(connection, channel, error)
    connection.send({ type: "removed", channel, code, message, ...(version !== undefined && { version }) })
  }
}
