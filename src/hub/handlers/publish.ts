import type { Dedupe } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { DeleteState, Publish, SetState } from "../../protocol/message.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Connection } from "../connection/connection.ts"
import type { Core, Handler } from "../core.ts"
import { conform, declared, inputSchema } from "../payload.ts"
import { dedupe } from "../publish/dedupe.ts"
import type { Append } from "../publish/publisher.ts"
import type { Target } from "../target.ts"
import { appendAndAnswer } from "./answer.ts"
import { contextOf, guarded, handlerOf, targetOf } from "./authorize.ts"

export function publish(core: Core, connection: Connection, message: Publish): Promise<void> {
  return appendAndAnswer(core, connection, message, async () => {
    const target = targetOf(core, message.channel)
    const payload = declared(target, "events", message.name)
    const handler = handlerOf(core, target, "events", message.name)
    const what = `event "${message.name}" of ${target.name}`
    const once = dedupeOf(core, connection, message)
    const data = await conform(what, inputSchema(payload), message.data)
    const value = await guarded(core, what, () => run(core, connection, target, handler, message, { data }))
    return own(core, what, () => core.publisher.event(target, message.name, value, once))
  })
}

export function setState(core: Core, connection: Connection, message: SetState): Promise<void> {
  return appendAndAnswer(core, connection, message, async () => {
    const target = targetOf(core, message.channel)
    const payload = declared(target, "state", message.name)
    const handler = handlerOf(core, target, "state", message.name)
    const what = `state "${message.name}" of ${target.name}`
    const once = dedupeOf(core, connection, message)
    const data = await conform(what, inputSchema(payload), message.data)
    const { key } = message
    const value = await guarded(core, what, () =>
      run(core, connection, target, handler, message, { data, key }),
    )
    return own(core, what, () => core.publisher.set(target, message.name, key, value, once))
  })
}

export function deleteState(core: Core, connection: Connection, message: DeleteState): Promise<void> {
  return appendAndAnswer(core, connection, message, async () => {
    const target = targetOf(core, message.channel)
    declared(target, "state", message.name)
    const handler = handlerOf(core, target, "delete", message.name)
    const { key } = message
    const what = `delete of state "${message.name}" of ${target.name}`
    const allowed = await guarded(core, what, () => run(core, connection, target, handler, message, { key }))
    if (allowed !== true)
      throw new HoldfastError("not_allowed", `no permission to delete ${message.name} "${key}"`)
    return core.publisher.delete(target, message.name, key, dedupeOf(core, connection, message))
  })
}

type Upward = Publish | SetState | DeleteState

function run(
  core: Core,
  connection: Connection,
  target: Target,
  handler: Handler,
  message: Upward,
  more: object,
): unknown {
  return handler({ ...contextOf(core, connection, target), idempotencyKey: message.idempotencyKey, ...more })
}

/** What the server's own handler returned is not the client's fault when it fails its schema. */
async function own(core: Core, what: string, ready: () => Promise<Append>): Promise<Append> {
  try {
    return await ready()
  } catch (error) {
    core.logger.error(`${what}: what the handler returned can't be published`, { error })
    throw new HoldfastError("handler_failed", errorCodes.handler_failed)
  }
}

/**
 * A key counts within its user, or within its session where there is none: nobody can take another's. The fingerprint
 * is of what was asked for, not of what the handler made of it, which may differ each time; so it is taken before the
 * handler runs, which may change what it is given.
 * @throws HoldfastError `invalid_value` when the payload is nested too deep to be kept
 */
function dedupeOf(core: Core, connection: Connection, message: Upward): Dedupe {
  const { userId, member } = connection
  const scope = userId === undefined ? ["member", member] : ["user", userId]
  const { type, name } = message
  const data = "data" in message ? encodeBody(message.data) : null
  const asked = [type, name, "key" in message ? message.key : null, data]
  return dedupe(core, scope, message.idempotencyKey, asked)
}
