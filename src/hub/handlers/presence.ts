import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Leave, PresenceRequest } from "../../protocol/message.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core } from "../core.ts"
import { conform, inputSchema, outputSchema } from "../payload.ts"
import { refuse } from "./answer.ts"
import { contextOf, guarded, handlersOf, targetOf } from "./authorize.ts"

/** What a hello carries has no id, and is answered only if it is refused. */
type EnterRequest = PresenceRequest & { readonly id?: number }

export async function enter(core: Core, connection: Connection, message: EnterRequest): Promise<void> {
  try {
    const target = targetOf(core, message.channel)
    const payload = target.match.definition.presence
    if (payload === undefined)
      throw new HoldfastError("unknown_name", `channel ${target.match.pattern} declares no presence`)
    const handler = handlersOf(core, target).presence
    if (handler === undefined)
      throw new HoldfastError("not_allowed", `clients may not enter the presence of ${target.match.pattern}`)
    const what = `presence of ${target.name}`
    connection.entering ??= new Set()
    connection.entering.add(target.name)
    const data = await conform(what, inputSchema(payload), message.data)
    const value = await guarded(core, what, () => handler({ ...contextOf(core, connection, target), data }))
    const body = await core.publisher.encode(what, outputSchema(payload), value)
    checkCount(core, connection, target.name)
    // the handler may have been asked before it could know
    if (!endEntering(connection, target.name)) throw new HoldfastError("revoked", errorCodes.revoked)
    await core.members.enter(target, connection, body)
    if (message.id !== undefined) connection.send({ type: "result", id: message.id })
  } catch (error) {
    endEntering(connection, message.channel)
    if (connection.isBrief && message.id === undefined && isPassing(error))
      tryAgain(core, connection, message)
    else refuse(core, connection, message, error)
  }
}

/** The client would ask again only with its next request, which may be long in coming. */
function tryAgain(core: Core, connection: Connection, message: EnterRequest): void {
  core.clock.after(core.limits.retryMs, () => {
    if (connection.state === "closed") return
    connection.inbox.run(message.channel, () => enter(core, connection, message))
  })
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

/** What is held for a connection has to have an end, and it may enter what it has not subscribed to. */
function checkCount(core: Core, { entered }: Connection, channel: string): void {
  const limit = core.limits.subscriptionsPerConnectionMax
  if (entered === undefined || entered.size < limit || entered.has(channel)) return
  throw new HoldfastError("too_many_subscriptions", `a connection may be present in ${limit} channels`, {
    limit,
  })
}

export async function leave(core: Core, connection: Connection, message: Leave): Promise<void> {
  try {
    await core.members.leave(targetOf(core, message.channel), connection)
    connection.send({ type: "result", id: message.id })
  } catch (error) {
    refuse(core, connection, message, error)
  }
}
